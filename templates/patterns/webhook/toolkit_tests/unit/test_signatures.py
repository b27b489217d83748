"""Signatures of deliveries: the published vectors, and whatever else may come."""

import ast
import base64
import hashlib
import hmac
import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runtime import signatures
from toolkit.runtime.signatures import (
    SCHEMES,
    TOLERANCE_SECONDS,
    InvalidKeyError,
    InvalidSignatureError,
    Scheme,
    Signed,
    TooLargeError,
    check_time,
    delivery_id_of,
    headers_of,
    is_signed_by,
    raw_body,
)
from toolkit.signed_delivery import LOCAL_VALUE, sign

# The Python library of Standard Webhooks: libraries/python/tests/test_webhooks.py.
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 (published)
STANDARD = {
    "webhook-id": ["msg_p5jXN8AQM9LWM0D4loKWxJek"],
    "webhook-timestamp": ["1614265330"],
    "webhook-signature": ["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
}
STANDARD_BODY = b'{"test": 2432232314}'
# docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_SECRET = "It's a Secret to Everybody"  # noqa: S105 (published)
GITHUB = {
    "x-github-delivery": ["72d3162e-cc78-11e3-81ab-4c9367dc0958"],
    "x-hub-signature-256": [
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    ],
}
GITHUB_BODY = b"Hello, World!"
NOW = 1_614_265_330
every_scheme = pytest.mark.parametrize("name", SCHEMES)


def verdict(name: str, headers: Any, body: bytes, *secrets: str) -> bool:
    scheme = SCHEMES[name]
    return is_signed_by([scheme.key(s) for s in secrets], scheme.read(headers, body))


def sent(name: str, body: bytes = b"{}", value: str = LOCAL_VALUE, now: int = NOW) -> Any:
    """The headers of a delivery, as the receiver sees them."""
    return headers_of({"headers": sign(name, value, "delivery-1", body, now)})


def other_value(seed: int = 1) -> str:
    return "whsec_" + base64.b64encode(bytes([seed]) * 32).decode()


def test_published_vector_of_standard_webhooks() -> None:
    assert verdict("standard-webhooks", STANDARD, STANDARD_BODY, STANDARD_SECRET)
    assert not verdict("standard-webhooks", STANDARD, STANDARD_BODY + b"\n", STANDARD_SECRET)


def test_published_vector_of_github() -> None:
    assert verdict("github", GITHUB, GITHUB_BODY, GITHUB_SECRET)
    assert not verdict("github", GITHUB, GITHUB_BODY + b"\n", GITHUB_SECRET)


def test_documented_construction_of_stripe() -> None:
    """Stripe publishes no vector with its secret, but how: docs.stripe.com/webhooks/signature.

    HMAC with SHA-256, the endpoint's secret as it is shown as key, and `t`, a full stop and the
    body as message; `v0` is for test events and is ignored.
    """
    secret, body, moment = "whsec_test_secret_of_an_endpoint", b'{"id": "evt_1"}', "1492774577"
    mac = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    header = {"stripe-signature": [f"t={moment},v1={mac},v0={'0' * 64}"]}

    assert verdict("stripe", header, body, secret)
    of_v0 = {"stripe-signature": [f"t={moment},v0={mac},v1={'0' * 64}"]}
    assert not verdict("stripe", of_v0, body, secret)
    # Spaces after the commas, as some libraries write the header.
    assert verdict("stripe", {"stripe-signature": [f"t={moment}, v1={mac}"]}, body, secret)


@every_scheme
@given(body=st.binary(max_size=300))
def test_what_is_signed_is_accepted(name: str, body: bytes) -> None:
    assert verdict(name, sent(name, body), body, LOCAL_VALUE)


@every_scheme
@given(body=st.binary(max_size=100), changed=st.binary(max_size=100))
def test_any_other_body_is_refused(name: str, body: bytes, changed: bytes) -> None:
    assert verdict(name, sent(name, body), changed, LOCAL_VALUE) == (body == changed)


@every_scheme
@given(seed=st.integers(0, 255))
def test_any_other_secret_is_refused(name: str, seed: int) -> None:
    assert not verdict(name, sent(name, value=other_value(seed)), b"{}", LOCAL_VALUE)


@every_scheme
def test_each_of_several_secrets_is_enough(name: str) -> None:
    values = [other_value(seed) for seed in range(3)]

    for value in values:
        assert verdict(name, sent(name, value=value), b"{}", *values)
    assert not verdict(name, sent(name), b"{}", *values)
    assert not verdict(name, sent(name), b"{}"), "no secret is no permission"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_each_of_several_signatures_is_enough(place: int) -> None:
    right, wrong = (sent("standard-webhooks", value=v) for v in (LOCAL_VALUE, other_value()))
    given = [wrong["webhook-signature"][0]] * 3
    given[place] = right["webhook-signature"][0]
    headers = {**right, "webhook-signature": [" ".join(["v1a,other", *given])]}

    assert verdict("standard-webhooks", headers, b"{}", LOCAL_VALUE)


def test_id_with_a_full_stop_is_refused() -> None:
    """Else the parts of one delivery could be read as those of another, with the same signature."""
    moment, body = "100", b'200.{"a": 1}'
    mac = hmac.new(SCHEMES["standard-webhooks"].key(LOCAL_VALUE), b"a.100." + body, hashlib.sha256)
    given = f"v1,{base64.b64encode(mac.digest()).decode()}"
    moved = {"webhook-id": ["a.100"], "webhook-timestamp": ["200"], "webhook-signature": [given]}

    with pytest.raises(InvalidSignatureError):
        SCHEMES["standard-webhooks"].read(moved, b'{"a": 1}')
    original = {**moved, "webhook-id": ["a"], "webhook-timestamp": [moment]}
    assert verdict("standard-webhooks", original, body, LOCAL_VALUE)


STRANGE: list[Any] = [
    *([], ["", ""], [""], [" "], [None], [1], ["a" * 5_000], ["\u0661" * 10], ["\u00e9"]),
    *(["\x00"], ["a\n"], ["v1,"], ["v1"], ["sha256="], ["t=1"], ["t=1,v1"], [","], ["="]),
    *(["-1"], ["1e3"], ["9" * 13], ["0x10"], ["nan"], ["v1," + "A" * 43 + "\u00e9"]),
    *(["v1,x " * 17], ["v1," + "A" * 43], ["sha256=" + "G" * 64], ["sha256=" + "A" * 64]),
    *(["t=1,t=2,v1=" + "0" * 64], ["t=\u0661,v1=" + "0" * 64], ["t=1,v1=" + " " * 64]),
]


@every_scheme
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:30])
def test_malformed_header_is_refused_and_never_an_error(name: str, value: Any) -> None:
    good = sent(name)
    for header in good.keys() - {"x-github-delivery"}:  # GitHub does not sign it.
        try:
            is_accepted = verdict(name, {**good, header: value}, b"{}", LOCAL_VALUE)
        except InvalidSignatureError:
            continue
        assert not is_accepted, header


@every_scheme
def test_header_that_was_sent_twice_is_refused(name: str) -> None:
    good = sent(name)
    for header, values in good.items():
        with pytest.raises(InvalidSignatureError, match="2 times"):
            SCHEMES[name].read({**good, header: values * 2}, b"{}")


values_of_headers = st.lists(
    st.text(max_size=80) | st.from_regex(r"(v1,|sha256=|t=\d+,v1=)[ -~]{0,70}", fullmatch=True),
    max_size=2,
)


@every_scheme
@given(data=st.data())
def test_any_header_is_read_or_refused(name: str, data: Any) -> None:
    headers = {header: data.draw(values_of_headers) for header in sent(name)}
    try:
        signed = SCHEMES[name].read(headers, b"{}")
    except InvalidSignatureError:
        return
    assert not is_signed_by([SCHEMES[name].key(LOCAL_VALUE)], signed)


@pytest.mark.parametrize("name", ["standard-webhooks", "stripe"])
@pytest.mark.parametrize("direction", [-1, 1], ids=["past", "future"])
def test_time_is_tolerated_up_to_the_limit_in_both_directions(name: str, direction: int) -> None:
    signed = SCHEMES[name].read(sent(name), b"{}")
    check_time(signed, NOW + direction * TOLERANCE_SECONDS)

    with pytest.raises(InvalidSignatureError):
        check_time(signed, NOW + direction * (TOLERANCE_SECONDS + 1))


def test_github_signs_no_time() -> None:
    check_time(SCHEMES["github"].read(GITHUB, GITHUB_BODY), NOW + 10**9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("standard-webhooks", v) for v in ("", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        *(("standard-webhooks", v) for v in ("whsec_AAAA", "whsec_A", "whsec_\u00e9")),
        ("standard-webhooks", "whsec_" + base64.b64encode(bytes(65)).decode()),
        *(("github", v) for v in ("", "short", "a" * 15, "a" * 16 + "\n", "\u00e9" * 20)),
        *(("stripe", v) for v in ("", "whsec_", "whsec_short", "sk_live_" + "a" * 20)),
    ],
)
def test_secret_that_the_scheme_cannot_use_is_an_error_without_it(name: str, value: str) -> None:
    with pytest.raises(InvalidKeyError) as raised:
        SCHEMES[name].key(value)
    assert len(value) < 8 or value not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "delivery_id"),
    [
        (b'{"id": "evt_1"}', "evt_1"),
        *((body, "") for body in (b"", b"[]", b"null", b'{"id": 1}', b'{"id": "a b"}', b"\xff")),
        *((body, "") for body in (b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}")),
        (b'{"id": "' + b"a" * 256 + b'"}', ""),
    ],
)
def test_id_in_the_body_is_read_after_the_signature(body: bytes, delivery_id: str) -> None:
    assert delivery_id_of(Signed(b"", (), "", None), body) == delivery_id
    assert delivery_id_of(Signed(b"", (), "given", None), body) == "given"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"body": None}, b""),
        ({}, b""),
        ({"body": "K\u00f6lsch\r\n"}, "K\u00f6lsch\r\n".encode()),
        ({"body": "\ud800"}, b"\xed\xa0\x80"),
        ({"body": "/wA=", "isBase64Encoded": True}, b"\xff\x00"),
        ({"body": "", "isBase64Encoded": True}, b""),
    ],
)
def test_body_is_the_bytes_that_were_sent(event: dict[str, Any], expected: bytes) -> None:
    assert raw_body(event, most=100) == expected


@pytest.mark.parametrize("body", ["=", "a", "\u00e9", "YQ", "Y Q=="])
def test_body_that_is_not_base64_is_refused(body: str) -> None:
    with pytest.raises(InvalidSignatureError):
        raw_body({"body": body, "isBase64Encoded": True}, most=100)


@given(size=st.integers(0, 300), most=st.integers(0, 300), encoded=st.booleans())
def test_body_is_taken_up_to_the_limit(size: int, most: int, encoded: bool) -> None:
    body = b"a" * size
    text = (base64.b64encode(body) if encoded else body).decode()
    event = {"body": text, "isBase64Encoded": encoded}
    if size <= most:
        assert raw_body(event, most) == body
    else:
        with pytest.raises(TooLargeError):
            raw_body(event, most)


def test_base64_that_is_far_too_long_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64, "b64decode", None)

    with pytest.raises(TooLargeError):
        raw_body({"body": "A" * 1_000, "isBase64Encoded": True}, most=100)


@pytest.mark.parametrize(
    "event",
    [
        {"multiValueHeaders": {"Webhook-Id": ["a"], "webhook-ID": ["b"]}, "headers": {"x": "y"}},
        {"multiValueHeaders": None, "headers": {"WEBHOOK-ID": "a", "webhook-id": "b"}},
    ],
)
def test_names_of_headers_ignore_case_and_no_value_is_lost(event: dict[str, Any]) -> None:
    assert headers_of(event) == {"webhook-id": ["a", "b"]}
    assert headers_of({}) == {}
    assert headers_of({"headers": None, "multiValueHeaders": {"a": None}}) == {"a": []}


def test_every_candidate_is_compared_with_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one that fits ends nothing: the time does not tell which it was."""
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def compare_and_count(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_and_count)
    keys = [SCHEMES["github"].key(value) for value in (LOCAL_VALUE, other_value())]
    right = SCHEMES["github"].read(sent("github"), b"{}")
    signed = Signed(right.content, (*right.digests, bytes(32), bytes(32)), "a", None)

    assert is_signed_by(keys, signed)
    assert len(compared) == len(keys) * 3


def digests_compared_by_operator(code: str) -> list[str]:
    """Comparisons by == or != of something that is named like a digest."""
    words = ("digest", "signature", "mac", "expected", "given", "key", "secret")
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Compare)
        if any(
            isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops
        )
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and any(word in name.id.lower() for word in words)
    ]


def test_no_digest_is_compared_by_an_operator() -> None:
    assert digests_compared_by_operator(inspect.getsource(signatures)) == []
    assert digests_compared_by_operator("expected == given")
    assert digests_compared_by_operator("hmac.new(key, b'').digest() in (other,)")
    assert "compare_digest" in inspect.getsource(is_signed_by)


def test_every_scheme_is_complete() -> None:
    assert list(SCHEMES) == ["standard-webhooks", "github", "stripe"]
    assert all(isinstance(scheme, Scheme) for scheme in SCHEMES.values())
