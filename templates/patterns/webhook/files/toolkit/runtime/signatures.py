"""Verifies the signatures of webhook deliveries: Standard Webhooks, GitHub's and Stripe's.

A delivery comes from outside: whatever is in its headers or body, nothing but InvalidSignatureError
and TooLargeError is raised. Signatures are over the bytes that were sent, so a body is verified
before it is decoded or parsed.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

# What Stripe's libraries and those of Standard Webhooks tolerate, in both directions.
TOLERANCE_SECONDS = 300
# Far more than a provider sends while it rotates its secret.
_MOST_SIGNATURES = 16
_LONGEST_HEADER = 4_096
_DIGEST_BYTES = 32

Headers = Mapping[str, Sequence[str]]


class InvalidSignatureError(Exception):
    """The delivery is not shown to come from the provider; the message is for the log alone."""


class TooLargeError(Exception):
    """The body is larger than what can be taken."""


class InvalidKeyError(Exception):
    """A secret that the scheme cannot use; the message does not contain it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a delivery says of itself. None of it is true before `is_signed_by` says so."""

    content: bytes
    digests: tuple[bytes, ...]
    # Empty where the id is in the body.
    delivery_id: str
    # None where the scheme signs no time.
    timestamp: int | None


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a provider signs: what it sends, and which bytes its secret stands for."""

    read: Callable[[Headers, bytes], Signed]
    key: Callable[[str], bytes]


def raw_body(event: Mapping[str, Any], most: int) -> bytes:
    """The bytes of a request to API Gateway, as they were sent.

    Raises:
        TooLargeError: there are more than `most`; base64 is not decoded then.
    """
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # Not strict: a text from JSON can hold what UTF-8 cannot.
        body = text.encode("utf-8", "surrogatepass")
    elif len(text) > 4 * (most // 3 + 1):
        raise TooLargeError
    else:
        try:
            body = base64.b64decode(text, validate=True)
        except ValueError:
            raise InvalidSignatureError("the body is not base64") from None
    if len(body) > most:
        raise TooLargeError
    return bytes(body)


def headers_of(event: Mapping[str, Any]) -> Headers:
    """All values of each header of a request, by its name in lower case."""
    found: dict[str, list[str]] = {}
    single = {name: [value] for name, value in (event.get("headers") or {}).items()}
    # A REST API gives both; of a header that was sent twice, `headers` has the last value only.
    for name, values in (event.get("multiValueHeaders") or single).items():
        found.setdefault(name.lower(), []).extend(values or [])
    return found


def is_signed_by(keys: Sequence[bytes], signed: Signed) -> bool:
    """Whether one of the signatures was made with one of the keys.

    Each is compared with each, in constant time, so the time taken does not tell which one failed.
    """
    expected = [hmac.new(key, signed.content, hashlib.sha256).digest() for key in keys]
    matches = [hmac.compare_digest(one, given) for one in expected for given in signed.digests]
    return any(matches)


def check_time(signed: Signed, now: int) -> None:
    """Refuse what was signed too long ago, or too far in the future.

    Raises:
        InvalidSignatureError: it was.
    """
    if signed.timestamp is not None and abs(now - signed.timestamp) > TOLERANCE_SECONDS:
        raise InvalidSignatureError("the timestamp is outside the tolerance")


def delivery_id_of(signed: Signed, body: bytes) -> str:
    """The id of a delivery whose signature was verified; empty if it has none."""
    if signed.delivery_id:
        return signed.delivery_id
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # Not JSON, not UTF-8, a number that is too long.
        return ""
    given = found.get("id") if isinstance(found, dict) else None
    return given if isinstance(given, str) and re.fullmatch(_ID, given) else ""


# Printable ASCII, which any record or message can hold.
_ID = r"[!-~]{1,255}"
# The id and the time are signed with full stops between: with one inside, other parts would have
# the same signature. github.com/standard-webhooks/standard-webhooks, spec, "Signature scheme".
_ID_WITHOUT_FULL_STOP = r"[!-,\-/-~]{1,255}"
_TIMESTAMP = r"[0-9]{1,12}"


def _one(headers: Headers, name: str, pattern: str) -> str:
    """The only value of a header, all of which matches."""
    values = headers.get(name, ())
    if len(values) != 1:
        raise InvalidSignatureError(f"{name} was sent {len(values)} times")
    [value] = values
    if not isinstance(value, str) or len(value) > _LONGEST_HEADER:
        raise InvalidSignatureError(f"{name} is too long")
    if not re.fullmatch(pattern, value):
        raise InvalidSignatureError(f"{name} is malformed")
    return value


def _digests(values: Sequence[str], decode: Callable[[str], bytes]) -> tuple[bytes, ...]:
    if not 1 <= len(values) <= _MOST_SIGNATURES:
        raise InvalidSignatureError(f"there are {len(values)} signatures")
    return tuple(decode(value) for value in values)


def _hexadecimal(value: str) -> bytes:
    # Python's fromhex also takes spaces and capitals.
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _DIGEST_BYTES}}}", value):
        raise InvalidSignatureError("a signature is malformed")
    return bytes.fromhex(value)


def _base64(value: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}=", value):
        raise InvalidSignatureError("a signature is malformed")
    return base64.b64decode(value)


def _read_standard(headers: Headers, body: bytes) -> Signed:
    """Standard Webhooks: github.com/standard-webhooks/standard-webhooks, spec, version 1.0.0."""
    delivery_id = _one(headers, "webhook-id", _ID_WITHOUT_FULL_STOP)
    timestamp = _one(headers, "webhook-timestamp", _TIMESTAMP)
    given = _one(headers, "webhook-signature", "[ -~]+").split(" ")
    # Other versions, such as v1a, are signed with keys of another kind.
    of_v1 = [value.removeprefix("v1,") for value in given if value.startswith("v1,")]
    content = b".".join((delivery_id.encode(), timestamp.encode(), body))
    return Signed(content, _digests(of_v1, _base64), delivery_id, int(timestamp))


def _key_standard(secret: str) -> bytes:
    problem = "must be whsec_ and 24 to 64 bytes in base64"
    if not re.fullmatch(r"whsec_[A-Za-z0-9+/]+={0,2}", secret):
        raise InvalidKeyError(problem)
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise InvalidKeyError(problem) from None
    if not 24 <= len(key) <= 64:
        raise InvalidKeyError(problem)
    return key


def _read_github(headers: Headers, body: bytes) -> Signed:
    """GitHub: docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.

    It signs the body alone: neither the id of the delivery nor its time.
    """
    delivery_id = _one(headers, "x-github-delivery", _ID)
    given = _one(headers, "x-hub-signature-256", "sha256=.+").removeprefix("sha256=")
    return Signed(body, _digests([given], _hexadecimal), delivery_id, timestamp=None)


def _key_github(secret: str) -> bytes:
    if not re.fullmatch(r"[ -~]{16,1024}", secret):
        raise InvalidKeyError("must be 16 to 1,024 printable characters")
    return secret.encode()


def _read_stripe(headers: Headers, body: bytes) -> Signed:
    """Stripe: docs.stripe.com/webhooks/signature. The id of the delivery is in its body."""
    given = _one(headers, "stripe-signature", "[ -~]+").split(",")
    parts = [part.strip().partition("=") for part in given]
    timestamps = [value for name, _, value in parts if name == "t"]
    if len(timestamps) != 1 or not re.fullmatch(_TIMESTAMP, timestamps[0]):
        raise InvalidSignatureError("the timestamp is malformed")
    of_v1 = [value for name, _, value in parts if name == "v1"]
    content = timestamps[0].encode() + b"." + body
    return Signed(content, _digests(of_v1, _hexadecimal), "", int(timestamps[0]))


def _key_stripe(secret: str) -> bytes:
    if not re.fullmatch(r"whsec_[!-~]{16,1024}", secret):
        raise InvalidKeyError("must be whsec_ and at least 16 characters")
    return secret.encode()  # With its prefix, unlike Standard Webhooks.


SCHEMES = MappingProxyType(
    {
        "standard-webhooks": Scheme(_read_standard, _key_standard),
        "github": Scheme(_read_github, _key_github),
        "stripe": Scheme(_read_stripe, _key_stripe),
    }
)
