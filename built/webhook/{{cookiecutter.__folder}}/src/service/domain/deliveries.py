"""What the receiver hands to the worker: a delivery, whose signature was verified."""

import base64
import contextlib
import hashlib
import json
from typing import Annotated

from msgspec import Meta, Struct

from toolkit.runtime.fields import read

# "The maximum is 1,048,576 bytes (1 MiB)", attributes included: SendMessage in
# docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference.
LARGEST_MESSAGE = 1_048_576
# What comes on top of a body: names and values of the other fields, the correlation id, and in the
# dead-letter queue a cause of up to 1,000 characters, each of up to 4 bytes.
LARGEST_REST = 8_192
# At worst a body is base64 in its message, which makes 4 characters of 3 bytes.
LARGEST_BODY = (LARGEST_MESSAGE - LARGEST_REST) // 4 * 3
LONGEST_NAME = 255
# How many endpoints have not taken a Stripe event yet: the number can differ between two attempts
# of one delivery. docs.stripe.com/api/events/object
OF_THE_ATTEMPT = "pending_webhooks"

Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class Delivery(Struct, frozen=True):
    """A request of the provider, as it was signed."""

    delivery_id: str
    content_type: str
    # What a header says the event is; GitHub alone sends one. It is not signed.
    event: str
    body: bytes

    def to_json(self) -> str:
        """The delivery as text. The body is text if it can be, and base64 if that is shorter."""
        fields = {
            "delivery_id": self.delivery_id,
            "content_type": self.content_type,
            "event": self.event,
        }
        forms = [json.dumps(fields | {"base64": base64.b64encode(self.body).decode()})]
        with contextlib.suppress(UnicodeDecodeError):
            forms.append(json.dumps(fields | {"text": self.body.decode()}))
        return min(forms, key=len)

    @property
    def fingerprint(self) -> str:
        """Tells the same delivery from another one, without keeping it."""
        return hashlib.sha256(_same_in_each_attempt(self.body)).hexdigest()


class _Message(Struct):
    """A delivery in the queue."""

    delivery_id: Name
    content_type: Name
    event: Name
    text: str = ""
    base64: bytes = b""


def parse_delivery(text: str) -> Delivery:
    """Read a delivery from the queue.

    Raises:
        InvalidFieldsError: it is not one.
    """
    found = read(text, _Message)
    body = found.text.encode() or found.base64
    return Delivery(found.delivery_id, found.content_type, found.event, body)


def _same_in_each_attempt(body: bytes) -> bytes:
    if OF_THE_ATTEMPT.encode() not in body:
        return body
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(found, dict):
        return body
    found.pop(OF_THE_ATTEMPT, None)
    return json.dumps(found, sort_keys=True).encode()


def printable(value: str) -> str:
    """The value of a header that is not signed, or nothing if it is unusual."""
    usual = value.isascii() and value.isprintable() and len(value) <= LONGEST_NAME
    return value if usual else ""
