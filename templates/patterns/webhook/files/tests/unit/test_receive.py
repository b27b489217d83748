"""The receiver takes what the provider has signed, once, and refuses the rest."""

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from service.domain.deliveries import LARGEST_BODY
from toolkit.runtime.signatures import SCHEMES, TOLERANCE_SECONDS
from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign
from toolkit.testing import Lines, Measured, Trace

if TYPE_CHECKING:
    from tests.unit.conftest import Receiver

BODY = b'{"id": "delivery-1", "type": "payment.paid"}'
OTHER = b'{"id": "delivery-1", "type": "payment.refunded"}'
OTHER_VALUE = "whsec_" + base64.b64encode(b"another secret of the provider").decode()
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@every_scheme
def test_signed_delivery_is_claimed_queued_and_answered(
    receiver: "Receiver", measured: Measured, scheme: str
) -> None:
    receiver.use(scheme)

    answer = receiver.post(BODY, receiver.signed(BODY, "delivery-1"))

    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"status": "accepted"})
    [(delivery, correlation)] = receiver.queue.sent
    assert (delivery.delivery_id, delivery.body) == ("delivery-1", BODY)
    assert (delivery.content_type, correlation) == ("application/json", "request")
    assert receiver.received.in_queue == {"delivery-1"}
    assert measured() == {"DeliveriesAccepted": 1}


@every_scheme
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"id": "delivery-1", "name": "K\xc3\xb6lsch"}', id="UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"id": "delivery-1"}', id="byte order mark"),
        pytest.param(b'{"id":\r\n"delivery-1"}\r\n', id="line ends"),
        pytest.param(b'{"b": 1, "id": "delivery-1", "a": 2}', id="order of keys"),
    ],
)
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "base64"])
def test_body_is_verified_and_queued_byte_by_byte(
    receiver: "Receiver", scheme: str, body: bytes, as_text: bool
) -> None:
    receiver.use(scheme)
    form: dict[str, Any] = {"body": body.decode(), "isBase64Encoded": False} if as_text else {}

    answer = receiver.post(body, receiver.signed(body, "delivery-1"), **form)

    assert answer["statusCode"] == 202
    assert receiver.queue.sent[0][0].body == body


@pytest.mark.skipif(scheme_of_template() == "stripe", reason="its id is in the JSON")
@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"\xed\xa0\x80"])
def test_body_can_be_empty_or_no_text(receiver: "Receiver", body: bytes) -> None:
    assert receiver.deliver(body) == 202
    assert receiver.queue.sent[0][0].body == body


def test_text_that_is_no_unicode_is_refused(receiver: "Receiver") -> None:
    headers = receiver.signed(BODY, "delivery-1")

    answer = receiver.post(BODY, headers, body='{"a": "\ud800"}', isBase64Encoded=False)

    assert answer["statusCode"] == 401


@pytest.mark.parametrize("more", [0, 1], ids=["largest", "one byte more"])
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "base64"])
def test_larger_body_gets_413_before_anything_is_computed(
    receiver: "Receiver", monkeypatch: pytest.MonkeyPatch, more: int, as_text: bool
) -> None:
    monkeypatch.setattr(receiver.module, "verified", lambda *_: "delivery-1")
    body = b"a" * (LARGEST_BODY + more)
    form: dict[str, Any] = {"body": body.decode(), "isBase64Encoded": False} if as_text else {}
    if more:
        monkeypatch.setattr(receiver.module, "verified", None)

    assert receiver.post(body, {}, **form)["statusCode"] == (413 if more else 202)
    assert receiver.secrets.reads == 0


def test_same_delivery_twice_is_queued_once(receiver: "Receiver", measured: Measured) -> None:
    assert [receiver.deliver(BODY), receiver.deliver(BODY)] == [202, 202]

    assert len(receiver.queue.sent) == 1
    assert measured() == {"DeliveriesAccepted": 1, "DuplicateDeliveries": 1}


@every_scheme
def test_same_id_with_another_body_gets_409_and_is_counted(
    receiver: "Receiver", measured: Measured, scheme: str
) -> None:
    receiver.use(scheme)
    receiver.deliver(BODY)

    assert receiver.deliver(OTHER) == 409

    assert len(receiver.queue.sent) == 1
    assert measured() == {"DeliveriesAccepted": 1, "DeliveryConflicts": 1}


def test_retry_is_queued_when_sending_failed_after_the_claim(
    receiver: "Receiver", measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(receiver.queue, "send", raising(THROTTLED))
        assert receiver.deliver(BODY) == 503

    assert receiver.deliver(BODY) == 202
    assert len(receiver.queue.sent) == 1
    assert measured() == {"Unavailable": 1, "DeliveriesAccepted": 1}


def test_delivery_that_is_queued_is_accepted_though_its_record_is_not_complete(
    receiver: "Receiver", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver.received, "queued", raising(THROTTLED))

    assert [receiver.deliver(BODY), receiver.deliver(BODY)] == [202, 202]
    assert len(receiver.queue.sent) == 2, "the worker takes it once"


@every_scheme
def test_every_refused_signature_gets_the_same_answer(receiver: "Receiver", scheme: str) -> None:
    receiver.use(scheme)
    good = receiver.signed(BODY, "delivery-1")
    now = int(time.time())
    requests: list[tuple[bytes, dict[str, Any]]] = [
        (BODY, {}),
        (OTHER, good),
        (BODY, sign(scheme, OTHER_VALUE, "delivery-1", BODY, now)),
        *((BODY, {**good, name: [value, value]}) for name, value in good.items()),
        *((BODY, {**good, name: ""}) for name in good),
        *((BODY, {**good, name: []}) for name in good),
        *((BODY, {**good, name: value + "\u00e9\n"}) for name, value in good.items()),
        *((BODY, {**good, name: value * 200}) for name, value in good.items()),
    ]
    if scheme != "github":
        old = now - TOLERANCE_SECONDS - 60
        requests += [(BODY, receiver.signed(BODY, "delivery-1", old))]
        requests += [(BODY, receiver.signed(BODY, "delivery-1", now + TOLERANCE_SECONDS + 60))]

    answers = [receiver.post(*request) for request in requests]

    assert {answer["statusCode"] for answer in answers} == {401}
    assert len({answer["body"] for answer in answers}) == 1
    assert receiver.queue.sent == []
    assert receiver.received.claimed == {}


def test_request_without_a_signature_costs_no_call(
    receiver: "Receiver", measured: Measured
) -> None:
    assert receiver.post(BODY, {})["statusCode"] == 401

    assert receiver.secrets.reads == 0
    assert measured() == {"DeliveriesRefused": 1}


def test_wrong_signatures_read_the_secret_again_at_most_once_a_minute(
    receiver: "Receiver", measured: Measured
) -> None:
    headers = sign(receiver.scheme, OTHER_VALUE, "delivery-1", BODY, int(time.time()))

    assert {receiver.post(BODY, headers)["statusCode"] for _ in range(10)} == {401}

    assert receiver.secrets.reads == 1
    assert measured() == {"DeliveriesRefused": 10, "SignaturesWrong": 10}


def test_missing_secret_gets_503_and_is_counted(receiver: "Receiver", measured: Measured) -> None:
    receiver.secrets.entries = None

    answer = receiver.post(BODY, receiver.signed(BODY, "delivery-1"))

    assert answer["statusCode"] == 503
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert measured() == {"SecretMissing": 1}


def test_signed_delivery_without_an_id_gets_400(receiver: "Receiver") -> None:
    receiver.use("stripe")

    for body in (b"", b"{}", b"[]", b"\xff", b'{"id": 1}', b'{"id": "a b"}', b"[" * 100_000):
        assert receiver.deliver(body) == 400
    assert receiver.queue.sent == []


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "Any")
CALLS = [("secrets", "get_secret_value"), ("received", "claim"), ("queue", "send")]


def raising(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(("adapter", "call"), CALLS)
def test_throttling_gets_503_with_retry_after(
    receiver: "Receiver",
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    adapter: str,
    call: str,
) -> None:
    monkeypatch.setattr(getattr(receiver, adapter), call, raising(THROTTLED))

    answer = receiver.post(BODY, receiver.signed(BODY, "delivery-1"))

    assert answer["statusCode"] == 503
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert measured() == {"Unavailable": 1}


@pytest.mark.parametrize(("adapter", "call"), [*CALLS, ("received", "queued")])
@pytest.mark.parametrize("error", [KeyError("a bug"), DENIED], ids=["a bug", "a right is missing"])
def test_other_errors_are_raised_for_the_alarm(
    receiver: "Receiver",
    monkeypatch: pytest.MonkeyPatch,
    adapter: str,
    call: str,
    error: Exception,
) -> None:
    monkeypatch.setattr(getattr(receiver, adapter), call, raising(error))

    with pytest.raises(type(error)):
        receiver.deliver(BODY)


def test_log_has_the_id_and_neither_body_nor_signature_nor_secret(
    receiver: "Receiver", lines: Lines
) -> None:
    body = b'{"id": "delivery-1", "marked": 1}'
    good = receiver.signed(body, "delivery-1")
    receiver.post(body, good)
    receiver.post(body + b" ", good)
    receiver.post(body, {**good, "X-Marked": "marked"})

    text = str(lines())
    assert "delivery-1" in text
    assert "marked" not in text
    assert LOCAL_VALUE not in text
    for value in good.values():
        assert value == "delivery-1" or len(value) < 16 or value not in text


def test_each_delivery_is_traced(receiver: "Receiver", trace: Trace) -> None:
    receiver.deliver(BODY)

    assert trace == {"## handler": {}, "## service.handlers.receive.verified": {}}
