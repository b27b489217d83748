"""Events of shipments, and what each subscriber makes of one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, structs, to_builtins

from toolkit.runtime.fields import InvalidFieldsError, read, text

# SNS takes no more messages in one PublishBatch (its API reference).
MOST_EVENTS = 10
# How far the clock of a caller may be ahead: a status from the future would stay the newest.
MOST_AHEAD = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class EventType(StrEnum):
    """What can happen to a shipment. Each type needs a subscription that wants it."""

    SENT = "shipment.sent"
    DELAYED = "shipment.delayed"
    DELIVERED = "shipment.delivered"


Id = Annotated[
    str, text("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
]
Type = Annotated[EventType, Meta(description="one of " + ", ".join(EventType))]
Time = Annotated[
    datetime, Meta(tz=True, description="a time with its offset, such as 2026-01-31T09:30:00Z")
]


class ShipmentEvent(Struct, frozen=True, omit_defaults=True):
    """Something that happened to a shipment.

    Each caller chooses its own `event_id`. What a caller sends with the same one is one event.
    """

    event_id: Id
    type: Type
    shipment_id: Id
    occurred_at: Time

    def to_json(self) -> str:
        """The event as text: the same event always gives the same text."""
        return msgspec.json.encode(to_builtins(self), order="deterministic").decode()

    @property
    def status(self) -> str:
        """What the shipment is after the event, such as `delayed`."""
        return self.type.partition(".")[2]

    @property
    def microseconds(self) -> int:
        """When it happened, since the epoch."""
        return (self.occurred_at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Notification:
    """What the receiver of a delayed shipment is told: one per event."""

    notification_id: str
    caller: str  # An event_id is unique among the events of one caller only.
    event_id: str
    shipment_id: str
    created_at: int  # seconds since the epoch


def parse_event(body: str | None, now: datetime) -> ShipmentEvent:
    """Read an event from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    event = read(body, ShipmentEvent)
    if not EARLIEST <= event.occurred_at <= now + MOST_AHEAD:
        raise InvalidFieldsError(
            [f"occurred_at must be after {EARLIEST:%Y-%m-%d} and not in the future"]
        )
    # The same moment in another time zone is the same event.
    return structs.replace(event, occurred_at=event.occurred_at.astimezone(UTC))


def parse_events(body: str | None, now: datetime) -> list[ShipmentEvent]:
    """Read one event, or a list of up to ten.

    Raises:
        InvalidFieldsError: with the problems of all of them.
    """
    try:
        given = msgspec.json.decode(body or "")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidFieldsError(["the body must be JSON"]) from None
    if not isinstance(given, list):
        return [parse_event(body, now)]
    if not 1 <= len(given) <= MOST_EVENTS:
        raise InvalidFieldsError([f"the list must have 1 to {MOST_EVENTS} events"])
    events, problems = [], []
    for place, one in enumerate(given):
        try:
            events.append(parse_event(msgspec.json.encode(one).decode(), now))
        except InvalidFieldsError as error:
            problems += [f"[{place}]: {problem}" for problem in error.problems]
    if problems:
        raise InvalidFieldsError(problems)
    return events


def notification_of(
    event: ShipmentEvent, caller: str, notification_id: str, now: int
) -> Notification | None:
    """What to tell the receiver; None where there is nothing to tell.

    The subscription's filter keeps other types away, but a changed filter takes up to 15 minutes to
    take effect: docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """
    if event.type is not EventType.DELAYED:
        return None
    return Notification(notification_id, caller, event.event_id, event.shipment_id, now)
