"""When EventBridge Scheduler fires: rate(…) and cron(…) with their six fields, in a time zone.

docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html: on the day when clocks go
forward, a time that does not exist is skipped; when they go back, a time that comes twice fires
once. A rate counts real minutes.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# Sunday is 1.
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_LAST_DAY_OF_A_WEEK = 5  # Monday is 0.


class Cron:
    """A cron(…) expression."""

    def __init__(self, expression: str) -> None:
        found = CRON.fullmatch(expression)
        if not found:
            raise ValueError(f"{expression!r} is not cron(…) with six fields")
        minutes, hours, self._day, months, self._weekday, years = found.groups()
        if (self._day == "?") == (self._weekday == "?"):
            raise ValueError(f"{expression!r}: one of day-of-month and day-of-week must be ?")
        self._months = _numbers(months, 1, 12, MONTHS)
        self._years = _numbers(years, 1970, 2199, {})
        self.times = [
            timedelta(hours=hour, minutes=minute)
            for hour in sorted(_numbers(hours, 0, 23, {}))
            for minute in sorted(_numbers(minutes, 0, 59, {}))
        ]

    def fires_on(self, day: date) -> bool:
        """Whether it fires on a day at all."""
        if day.year not in self._years or day.month not in self._months:
            return False
        return self._is_day(day) if self._weekday == "?" else self._is_weekday(day)

    def _is_day(self, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if found := re.fullmatch(r"L(?:-(\d+))?", self._day):
            return day.day == last - int(found[1] or 0)
        if found := re.fullmatch(r"(\d+)W", self._day):
            return day == _nearest_weekday(day, min(int(found[1]), last))
        return day.day in _numbers(self._day, 1, 31, {})

    def _is_weekday(self, day: date) -> bool:
        weekday = day.isoweekday() % 7 + 1
        if found := re.fullmatch(r"(\w+)#(\d)", self._weekday):
            week = (day.day - 1) // 7 + 1
            return (weekday, week) == (_number(found[1], WEEKDAYS), int(found[2]))
        if found := re.fullmatch(r"(\w+)L", self._weekday):
            is_last = day.month != (day + timedelta(days=7)).month
            return is_last and weekday == _number(found[1], WEEKDAYS)
        return weekday in _numbers(self._weekday.replace("L", "7"), 1, 7, WEEKDAYS)


def _number(text: str, names: dict[str, int]) -> int:
    return names.get(text) or int(text)


def _numbers(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """The values of a field: `*`, `1,2`, `1-5`, `MON-FRI`, `0/15`."""
    found: set[int] = set()
    for part in text.split(","):
        values, _, step = part.partition("/")
        first, _, last = values.partition("-")
        start = low if first == "*" else _number(first, names)
        end = _number(last, names) if last else high if first == "*" or step else start
        if not low <= start <= high or not low <= end <= high:
            raise ValueError(f"{part!r} is not from {low} to {high}")
        # A range may go round: FRI-MON.
        stop = end if start <= end else end + high - low + 1
        found |= {
            low + (n - low) % (high - low + 1) for n in range(start, stop + 1, int(step or 1))
        }
    return found


def _nearest_weekday(day: date, number: int) -> date:
    """The weekday that is nearest to a day, in the same month."""
    wanted = day.replace(day=number)
    for days in (0, -1, 1, -2, 2):
        near = wanted + timedelta(days=days)
        if near.month == day.month and near.weekday() < _LAST_DAY_OF_A_WEEK:
            return near
    raise AssertionError


def local_times(expression: str, start: date, days: int) -> Iterator[datetime]:
    """The times at which a cron(…) is due by the clock on the wall, whether or not they exist."""
    cron = Cron(expression)
    for day in (start + timedelta(days=number) for number in range(days)):
        if cron.fires_on(day):
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (a clock on a wall)
            yield from (midnight + time for time in cron.times)


def exists(local: datetime, zone: str) -> bool:
    """Whether a time by the clock on the wall exists. Clocks that go forward leave some out."""
    here = local.replace(tzinfo=ZoneInfo(zone))
    return here.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


def fire_times(expression: str, zone: str, start: date, days: int) -> list[datetime]:
    """When a cron(…) fires, in its zone."""
    return [
        local.replace(tzinfo=ZoneInfo(zone))
        for local in local_times(expression, start, days)
        if exists(local, zone)
    ]


def skipped_times(expression: str, zone: str, start: date, days: int) -> list[datetime]:
    """Times at which a cron(…) is due, and does not fire, because they do not exist."""
    return [local for local in local_times(expression, start, days) if not exists(local, zone)]


def clock_changes(zone: str, start: date, days: int) -> list[date]:
    """The days on which clocks change."""
    return [
        day
        for day in (start + timedelta(days=number) for number in range(days))
        if _offset(zone, day) != _offset(zone, day + timedelta(days=1))
    ]


def _offset(zone: str, day: date) -> timedelta | None:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).utcoffset()


def longest_interval(expression: str, zone: str, start: date, days: int = 400) -> timedelta:
    """The longest time between two runs, clock changes included.

    Raises:
        ValueError: it does not fire twice in these days.
    """
    if found := RATE.fullmatch(expression):
        return timedelta(**{f"{found[2]}s": int(found[1])})
    changes = clock_changes(zone, start, days)
    cron = Cron(expression)
    within = max((later - earlier for earlier, later in pairwise(cron.times)), default=timedelta())
    longest, before = within, None
    for day in (start + timedelta(days=number) for number in range(days)):
        times = fire_times(expression, zone, day, 1)
        if not times:
            continue
        of_day = [
            time.astimezone(UTC) for time in (times if day in changes else [times[0], times[-1]])
        ]
        if day in changes:
            longest = max([longest, *(later - earlier for earlier, later in pairwise(of_day))])
        if before:
            longest = max(longest, of_day[0] - before)
        before = of_day[-1]
    if not longest:
        raise ValueError(f"{expression} does not fire twice in {days} days")
    return longest
