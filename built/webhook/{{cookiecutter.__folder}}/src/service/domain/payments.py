"""Events about payments, and the state of a payment that they lead to."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Struct

from service.domain.deliveries import Delivery
from toolkit.runtime.fields import text

Shape = TypeVar("Shape", bound=Struct)
Id = Annotated[
    str, text("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
]
Amount = Annotated[int, Meta(ge=0, le=10**12)]  # in the smallest unit of the currency
Currency = Annotated[str, text("[A-Z]{3}", "3 capital letters")]
Created = Annotated[int, Meta(ge=0, le=10**11)]  # seconds since the epoch, by the provider's clock

# The events that are worked on, by type: the state of the payment after each, and the place of that
# state among those of the same second. Other types are ignored, and counted.
HANDLED = MappingProxyType({"payment.paid": ("paid", 0), "payment.refunded": ("refunded", 1)})
# More than there are types.
PLACES = 100
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class InvalidEventError(Exception):
    """The delivery holds no event; the message names the rule and does not quote the body."""


class _Kind(Struct):
    """Where providers say what an event is. Other fields, and new ones, are ignored."""

    type: str = ""
    action: str = ""  # GitHub's payloads have one, beside the name of the event in a header.


class _Data(Struct):
    payment_id: Id
    amount: Amount
    currency: Currency


class _Event(Struct):
    created: Created
    data: _Data


@dataclass(frozen=True, slots=True)
class Payment:
    """The state of a payment after an event."""

    payment_id: str
    status: str
    amount: int
    currency: str
    # Grows with the provider's time: a later event has a higher position.
    position: int


def type_of(delivery: Delivery) -> str:
    """The type of a delivery's event, such as `payment.paid` or `ping`.

    Raises:
        InvalidEventError: there is no event in it.
    """
    kind = _decoded(_payload_of(delivery), _Kind)
    named = f"{delivery.event}.{kind.action}" if kind.action else delivery.event
    return kind.type or named


def payment_after(delivery: Delivery, event_type: str) -> Payment:
    """The payment after an event of a type in HANDLED. Replace this with your service's own logic.

    Raises:
        InvalidEventError: the event lacks something, or something is out of range.
    """
    event = _decoded(_payload_of(delivery), _Event)
    status, place = HANDLED[event_type]
    return Payment(
        event.data.payment_id,
        status,
        event.data.amount,
        event.data.currency,
        position=event.created * PLACES + place,
    )


def _payload_of(delivery: Delivery) -> bytes:
    """The JSON in a body, by its content type: as it is, or in the field `payload` of a form."""
    kind = delivery.content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        return delivery.body
    if kind != FORM:
        raise InvalidEventError(f"the content type must be {JSON} or {FORM}")
    try:
        fields = parse_qs(delivery.body.decode("ascii"), max_num_fields=10)
        [payload] = fields["payload"]
    except (ValueError, KeyError):
        raise InvalidEventError("the form must have one field named payload") from None
    return payload.encode()


def _decoded(payload: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(payload, type=shape)
    except msgspec.ValidationError as error:
        # It names the field and the rule, and quotes no value.
        raise InvalidEventError(str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidEventError("the payload must be JSON") from None
