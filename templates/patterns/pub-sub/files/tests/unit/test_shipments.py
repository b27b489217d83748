"""What is an event, and what each subscriber makes of one."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.shipments import (
    EARLIEST,
    MOST_AHEAD,
    EventType,
    ShipmentEvent,
    notification_of,
    parse_event,
    parse_events,
)
from toolkit.runtime.fields import InvalidFieldsError

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
GOOD = {
    "event_id": "event-1",
    "type": "shipment.delayed",
    "shipment_id": "shipment-1",
    "occurred_at": "2026-01-31T09:30:00Z",
}
ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2000, 1, 3), datetime(2026, 1, 30), timezones=zones)  # noqa: DTZ001


@given(st.builds(ShipmentEvent, ids, st.sampled_from(EventType), ids, times))
def test_event_is_the_same_after_the_topic(event: ShipmentEvent) -> None:
    assert parse_event(event.to_json(), NOW) == event


@given(times, zones)
def test_same_moment_in_another_time_zone_gives_the_same_text(time: datetime, zone: Any) -> None:
    """Its fingerprint tells a repeated event from another one under the same id."""
    one, other = (
        parse_event(json.dumps(GOOD | {"occurred_at": moment.isoformat()}), NOW)
        for moment in (time, time.astimezone(zone))
    )

    assert one.to_json() == other.to_json()
    assert one.microseconds == other.microseconds


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, bad) for name in ("event_id", "shipment_id") for bad in ("", "-a", "a" * 65, 1)),
        *(("type", bad) for bad in ("", "sent", "SHIPMENT.SENT", "shipment.mislaid", 1, None)),
        *(
            ("occurred_at", bad)
            for bad in ("", "2026-01-31", "2026-01-31T09:30:00", "0001-01-01T00:00:00+14:00", 1)
        ),
    ],
)
def test_every_field_stays_within_its_bounds(name: str, value: object) -> None:
    with pytest.raises(InvalidFieldsError, match=name):
        parse_event(json.dumps(GOOD | {name: value}), NOW)


@pytest.mark.parametrize(
    ("time", "is_valid"),
    [
        (NOW + MOST_AHEAD, True),
        (NOW + MOST_AHEAD + timedelta(seconds=1), False),
        (EARLIEST, True),
        (EARLIEST - timedelta(seconds=1), False),
    ],
)
def test_time_ahead_of_the_clock_is_refused(time: datetime, is_valid: bool) -> None:
    body = json.dumps(GOOD | {"occurred_at": time.isoformat()})

    if is_valid:
        assert parse_event(body, NOW).occurred_at == time
    else:
        with pytest.raises(InvalidFieldsError, match="not in the future"):
            parse_event(body, NOW)


@pytest.mark.parametrize("count", [1, 10])
def test_list_of_events_is_read_in_its_order(count: int) -> None:
    given = [GOOD | {"event_id": str(place)} for place in range(count)]

    events = parse_events(json.dumps(given), NOW)

    assert [event.event_id for event in events] == [str(place) for place in range(count)]


@pytest.mark.parametrize("body", [None, "", "{", "[]", json.dumps([GOOD] * 11), '"a"', "[" * 9_999])
def test_what_is_neither_an_event_nor_a_list_of_up_to_ten_is_refused(body: str | None) -> None:
    with pytest.raises(InvalidFieldsError):
        parse_events(body, NOW)


def test_problems_name_the_place_of_their_event() -> None:
    body = json.dumps([GOOD, GOOD | {"type": "other"}, 1])

    with pytest.raises(InvalidFieldsError) as error:
        parse_events(body, NOW)

    assert [problem.partition(":")[0] for problem in error.value.problems] == ["[1]", "[2]"]


@pytest.mark.parametrize("event_type", EventType)
def test_receiver_is_told_of_delays_only(event_type: EventType) -> None:
    event = parse_event(json.dumps(GOOD | {"type": event_type}), NOW)

    notification = notification_of(event, "a-caller", "notification-1", now=1_000)

    assert bool(notification) == (event_type == EventType.DELAYED)
    if notification:
        assert (notification.event_id, notification.shipment_id) == ("event-1", "shipment-1")
        assert (notification.caller, notification.created_at) == ("a-caller", 1_000)
