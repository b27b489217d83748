"""Visits to sites, and what they add up to by site and hour."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct, to_builtins

from toolkit.runtime.fields import read, text

Id = Annotated[
    str, text("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
]
Amount = Annotated[
    int, Meta(ge=0, le=1_000_000_000, description="a whole number from 0 to 1000000000")
]
Time = Annotated[
    datetime, Meta(tz=True, description="a time with its offset, such as 2026-01-01T12:00:00Z")
]
Version = Annotated[Literal[1], Meta(description="1")]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600
# An hour is closed so many seconds after its end. Later visits are added to it too, and counted as
# late.
CLOSES_AFTER = 300


class TimeOutOfRangeError(Exception):
    """The visit is too old, or its clock is ahead."""


class Visit(Struct, frozen=True, omit_defaults=True):
    """What a site tells of one visit.

    The producer chooses the `event_id`, once: records with the same one are one visit.
    """

    event_id: Id
    site: Id
    amount: Amount
    happened_at: Time
    version: Version = 1

    def to_json(self) -> str:
        """The visit as text: the same visit always gives the same text.

        Defaults are left out, so a new optional field does not change the text of older visits.
        """
        return json.dumps(to_builtins(self), sort_keys=True)


@dataclass(frozen=True)
class Limits:
    """Which times are accepted, in seconds before and after the arrival of the record."""

    oldest: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit, and the hour that it belongs to."""

    visit: Visit
    hour: str  # in UTC, such as 2026-01-01T12
    is_late: bool


@dataclass(frozen=True, slots=True)
class Total:
    """What visits add to one hour of one site."""

    count: int
    amount: int


def parse_visit(body: str | None) -> Visit:
    """Read a visit from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    return read(body, Visit)


def place(visit: Visit, arrived_at: int, limits: Limits) -> Placed:
    """Find the hour of a visit: by when it happened, not by when it is processed.

    Compared with the arrival of the record, so that each delivery of it has the same result.

    Raises:
        TimeOutOfRangeError: it happened too long before its arrival, or too long after it.
    """
    # Not astimezone: the first and the last day of the calendar have no time in UTC.
    happened_at = (visit.happened_at - EPOCH) // timedelta(seconds=1)
    age = arrived_at - happened_at
    if age > limits.oldest:
        raise TimeOutOfRangeError(
            f"happened_at is {age} seconds before the arrival: at most {limits.oldest} are accepted"
        )
    if -age > limits.ahead:
        raise TimeOutOfRangeError(
            f"happened_at is {-age} seconds after the arrival: at most {limits.ahead} are accepted"
        )
    start = happened_at - happened_at % HOUR
    hour = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H")
    return Placed(visit, hour, is_late=arrived_at >= start + HOUR + CLOSES_AFTER)


def totals_of(placed: Iterable[Placed]) -> dict[tuple[str, str], Total]:
    """What visits add up to, by site and hour. Replace this with your service's own logic."""
    totals: dict[tuple[str, str], Total] = {}
    for one in placed:
        key = (one.visit.site, one.hour)
        before = totals.get(key, Total(0, 0))
        totals[key] = Total(before.count + 1, before.amount + one.visit.amount)
    return totals
