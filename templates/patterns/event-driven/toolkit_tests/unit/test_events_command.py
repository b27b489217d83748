"""What `make replay` accepts."""

from datetime import UTC, datetime

import pytest

from toolkit.commands.events import checked, rule_arn

NOW = datetime(2026, 2, 1, tzinfo=UTC)
FROM, TO = "2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"


def test_times_are_utc() -> None:
    start, end, rule = checked(FROM, TO, "Notify", NOW)

    assert (start.isoformat(), end.isoformat()) == (
        "2026-01-01T02:00:00+00:00",
        "2026-01-01T03:00:00+00:00",
    )
    assert rule == "Notify"


@pytest.mark.parametrize(
    ("start", "end", "rule", "mentions"),
    [
        ("", TO, "Notify", "FROM must be a time in UTC"),
        (FROM, "yesterday", "Notify", "TO must be a time in UTC"),
        (None, None, None, "FROM must be a time in UTC"),
        (TO, FROM, "Notify", "FROM must be before TO"),
        (FROM, "2026-02-01T00:00:01Z", "Notify", "not in the future"),
        (FROM, TO, "", "RULE must be the name of a consumer"),
        (FROM, TO, "a/b", "RULE must be the name of a consumer"),
    ],
)
def test_what_is_wrong_is_named(
    start: str | None, end: str | None, rule: str | None, mentions: str
) -> None:
    with pytest.raises(SystemExit, match=mentions):
        checked(start, end, rule, NOW)


def test_rule_is_on_the_bus_of_the_stack() -> None:
    bus = "arn:aws:events:eu-west-1:123456789012:event-bus/stack-Events"

    assert rule_arn(bus, "stack", "Notify") == (
        "arn:aws:events:eu-west-1:123456789012:rule/stack-Events/stack-Notify"
    )
