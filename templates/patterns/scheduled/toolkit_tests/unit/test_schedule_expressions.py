"""When a schedule fires: AWS's documented examples, and both clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from toolkit.schedule_expressions import (
    Cron,
    clock_changes,
    fire_times,
    local_times,
    longest_interval,
    skipped_times,
)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
# Clocks go forward on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def first(expression: str, number: int = 3, start: date = date(2026, 1, 1)) -> list[str]:
    found = local_times(expression, start, 800)
    return [f"{next(found):%Y-%m-%d %H:%M}" for _ in range(number)]


# docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and
# docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(
            "cron(15 10 ? * 6L 2022-2026)",
            ["2026-01-30 10:15", "2026-02-27 10:15", "2026-03-27 10:15"],
            id="10:15 on the last Friday of each month, 2022 to 2026",
        ),
        pytest.param(
            "cron(0 10 * * ? *)",
            ["2026-01-01 10:00", "2026-01-02 10:00", "2026-01-03 10:00"],
            id="10:00 every day",
        ),
        pytest.param(
            "cron(0 18 ? * MON-FRI *)",
            ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"],
            id="18:00 every Monday through Friday",
        ),
        pytest.param(
            "cron(0 8 1 * ? *)",
            ["2026-01-01 08:00", "2026-02-01 08:00", "2026-03-01 08:00"],
            id="08:00 every first day of the month",
        ),
        pytest.param(
            "cron(0/15 * * * ? *)",
            ["2026-01-01 00:00", "2026-01-01 00:15", "2026-01-01 00:30"],
            id="every 15 minutes",
        ),
        pytest.param(
            "cron(0/5 8-17 ? * MON-FRI *)",
            ["2026-01-01 08:00", "2026-01-01 08:05", "2026-01-01 08:10"],
            id="every 5 minutes between 08:00 and 17:55, Monday through Friday",
        ),
        pytest.param(
            "cron(0 9 ? * 2#1 *)",
            ["2026-01-05 09:00", "2026-02-02 09:00", "2026-03-02 09:00"],
            id="09:00 on the first Monday of each month",
        ),
        pytest.param(
            "cron(0 0 L * ? *)",
            ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"],
            id="the last day of each month",
        ),
        pytest.param(
            "cron(0 0 3W * ? *)",
            ["2026-01-02 00:00", "2026-02-03 00:00", "2026-03-03 00:00"],
            id="the weekday closest to the third day of the month",
        ),
        pytest.param(
            "cron(0 6,18 1 JAN,JUL ? *)",
            ["2026-01-01 06:00", "2026-01-01 18:00", "2026-07-01 06:00"],
            id="lists and names",
        ),
    ],
)
def test_cron_is_read_as_aws_documents_it(expression: str, expected: list[str]) -> None:
    assert first(expression, len(expected)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 4 * * * *)",
        "cron(0 4 ? * ? *)",
        "cron(0 4 * * ?)",
        "cron(60 4 * * ? *)",
        "cron(0 24 * * ? *)",
        "rate(1 day)",
    ],
)
def test_invalid_cron_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"is not|must be"):
        Cron(expression)


def test_time_that_does_not_exist_in_spring_is_skipped() -> None:
    assert fire_times("cron(30 2 * * ? *)", BERLIN, SPRING, 1) == []
    assert skipped_times("cron(30 2 * * ? *)", BERLIN, SPRING, 2) == [datetime(2026, 3, 29, 2, 30)]  # noqa: DTZ001


def test_time_that_comes_twice_in_autumn_fires_once() -> None:
    [time] = fire_times("cron(30 2 * * ? *)", BERLIN, AUTUMN, 1)

    assert time.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        (BERLIN, [SPRING, AUTUMN]),
        (NEW_YORK, [date(2026, 3, 8), date(2026, 11, 1)]),
        ("UTC", []),
        ("Asia/Tokyo", []),
    ],
)
def test_days_on_which_clocks_change(zone: str, days: list[date]) -> None:
    assert clock_changes(zone, date(2026, 1, 1), 365) == days


@pytest.mark.parametrize(
    ("expression", "zone", "hours"),
    [
        ("rate(5 minutes)", BERLIN, 1 / 12),
        ("rate(1 day)", BERLIN, 24),
        ("cron(0 4 * * ? *)", "UTC", 24),
        ("cron(0 4 * * ? *)", BERLIN, 25),
        ("cron(30 2 * * ? *)", BERLIN, 47),  # One of them is skipped in spring.
        ("cron(0 * * * ? *)", BERLIN, 2),
        ("cron(0 8,20 * * ? *)", "UTC", 12),
        ("cron(0 4 ? * MON-FRI *)", "UTC", 72),
        ("cron(0 4 ? * MON *)", "UTC", 168),
    ],
)
def test_longest_time_between_two_runs(expression: str, zone: str, hours: float) -> None:
    found = longest_interval(expression, zone, date(2026, 1, 1))

    assert found == timedelta(hours=hours)


def test_schedule_that_is_over_has_no_interval() -> None:
    with pytest.raises(ValueError, match="does not fire twice"):
        longest_interval("cron(0 4 * * ? 2020)", "UTC", date(2026, 1, 1))
