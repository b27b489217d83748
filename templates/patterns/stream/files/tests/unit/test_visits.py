"""Visits are read, placed in their hour, and added up."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.visits import (
    CLOSES_AFTER,
    HOUR,
    Limits,
    Placed,
    TimeOutOfRangeError,
    Total,
    Visit,
    parse_visit,
    place,
    totals_of,
)
from toolkit.runtime.fields import InvalidFieldsError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = Limits(oldest=86_400, ahead=300)
FIELDS = {"event_id": "a", "site": "shop", "amount": 2, "happened_at": "2026-01-01T12:00:00Z"}
VISITS = st.builds(
    Visit,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True),
    st.integers(0, 1_000_000_000),
    st.datetimes(timezones=st.integers(-720, 840).map(lambda m: timezone(timedelta(minutes=m)))),
)


def visit(happened_at: datetime, site: str = "shop", amount: int = 1) -> Visit:
    return Visit("a", site, amount, happened_at)


def test_valid_visit_is_read() -> None:
    assert parse_visit(json.dumps(FIELDS)) == Visit("a", "shop", 2, NOON)


@given(VISITS)
def test_text_of_a_visit_reads_as_the_same_visit(visit: Visit) -> None:
    assert parse_visit(visit.to_json()) == visit


def test_two_ways_to_write_utc_are_the_same_content() -> None:
    one = parse_visit(json.dumps(FIELDS | {"happened_at": "2026-01-01T12:00:00+00:00"}))

    assert one.to_json() == parse_visit(json.dumps(FIELDS)).to_json()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"event_id": ""}, "event_id must be 1 to 64 letters"),
        ({"site": "a b"}, "site must be 1 to 64 letters"),
        ({"amount": -1}, "amount must be a whole number"),
        ({"amount": "1"}, "amount must be a whole number"),
        ({"happened_at": "yesterday"}, "happened_at must be a time with its offset"),
        ({"happened_at": "2026-01-01T12:00:00"}, "happened_at must be a time with its offset"),
        ({"happened_at": 1_767_268_800}, "happened_at must be a time with its offset"),
        ({"version": 2}, "version must be 1"),
        ({"more": 1}, "'more' is unknown"),
    ],
)
def test_invalid_visit_is_refused_with_its_problem(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidFieldsError, match=problem):
        parse_visit(json.dumps(FIELDS | changed))


@given(st.text() | st.none())
def test_any_text_is_read_or_refused(body: str | None) -> None:
    with pytest.raises(InvalidFieldsError):
        parse_visit(body)


@pytest.mark.parametrize(
    ("happened_at", "hour"),
    [
        (NOON, "2026-01-01T12"),
        (NOON - timedelta(seconds=1), "2026-01-01T11"),
        (datetime(2026, 1, 1, 17, 30, tzinfo=timezone(timedelta(hours=5.5))), "2026-01-01T12"),
    ],
)
def test_hour_is_that_of_the_event_in_utc(happened_at: datetime, hour: str) -> None:
    assert place(visit(happened_at), int(NOON.timestamp()), LIMITS).hour == hour


@pytest.mark.parametrize(("after_the_end", "late"), [(0, False), (-1, False), (1, True)])
def test_visit_of_a_closed_hour_is_late_and_stays_in_its_hour(
    after_the_end: int, late: bool
) -> None:
    closes = int(NOON.timestamp()) + HOUR + CLOSES_AFTER

    placed = place(visit(NOON), closes - 1 + after_the_end, LIMITS)

    assert (placed.hour, placed.is_late) == ("2026-01-01T12", late)


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        (-LIMITS.oldest, ""),
        (-LIMITS.oldest - 1, "86401 seconds before the arrival: at most 86400"),
        (LIMITS.ahead, ""),
        (LIMITS.ahead + 1, "301 seconds after the arrival: at most 300"),
    ],
)
def test_time_out_of_range_is_refused(seconds: int, problem: str) -> None:
    happened = visit(NOON + timedelta(seconds=seconds))
    if not problem:
        assert place(happened, int(NOON.timestamp()), LIMITS)
        return
    with pytest.raises(TimeOutOfRangeError, match=problem):
        place(happened, int(NOON.timestamp()), LIMITS)


@given(st.datetimes(timezones=st.timezones()), st.integers(0, 2**33))
def test_any_time_is_placed_or_refused(happened_at: datetime, arrived_at: int) -> None:
    try:
        placed = place(visit(happened_at), arrived_at, LIMITS)
    except TimeOutOfRangeError:
        return
    start = datetime.strptime(placed.hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)
    assert start <= happened_at < start + timedelta(hours=1)


def test_visits_add_up_by_site_and_hour() -> None:
    placed = [
        Placed(visit(NOON, site, amount), hour, is_late=False)
        for site, hour, amount in [("a", "12", 1), ("b", "12", 2), ("a", "12", 3), ("a", "13", 4)]
    ]

    assert totals_of(placed) == {
        ("a", "12"): Total(2, 4),
        ("b", "12"): Total(1, 2),
        ("a", "13"): Total(1, 4),
    }
