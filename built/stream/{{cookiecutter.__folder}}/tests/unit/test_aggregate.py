"""The function counts each visit of a batch once, and keeps what it cannot count."""

import base64
import importlib
import json
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from service.domain.visits import Placed, Visit
from toolkit.runtime.once_per_event import Written
from toolkit.testing import Lines, Measured

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLDEST, AHEAD = 86_400, 300


class Totals:
    """Stands in for the table."""

    def __init__(self) -> None:
        self.seen: dict[str, Visit] = {}

    def add(self, placed: Sequence[Placed], _: int) -> Written:
        written = Written()
        for number, one in enumerate(placed):
            earlier = self.seen.setdefault(one.visit.event_id, one.visit)
            if earlier is one.visit:
                written.new.append(number)
            elif earlier == one.visit:
                written.duplicates.append(number)
            else:
                written.refused[number] = "other content"
        return written


class NoTotals:
    """Counts nothing and keeps nothing."""

    def add(self, placed: Sequence[Placed], _: int) -> Written:
        return Written(new=list(range(len(placed))))


@pytest.fixture
def kept() -> dict[str, str]:
    """Causes of what was kept, by sequence number."""
    return {}


@pytest.fixture
def aggregate(monkeypatch: pytest.MonkeyPatch, kept: dict[str, str]) -> ModuleType:
    for name, value in {
        "TOTALS_TABLE": "totals",
        "IDEMPOTENCY_TABLE": "idempotency",
        "IDEMPOTENCY_DAYS": "60",
        "FAILURES_BUCKET": "failures",
        "OLDEST_EVENT_SECONDS": str(OLDEST),
        "CLOCK_SKEW_SECONDS": str(AHEAD),
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.aggregate")
    monkeypatch.setattr(module, "totals", Totals())

    def keep(record: dict[str, Any], cause: str) -> None:
        kept[record["kinesis"]["sequenceNumber"]] = cause

    monkeypatch.setattr(module, "keep_failure", keep)
    return module


def record(number: int, data: bytes) -> dict[str, Any]:
    return {
        "eventID": f"shardId-000000000000:{number:056}",
        "kinesis": {
            "partitionKey": "shop",
            "sequenceNumber": f"{number:056}",
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": NOON.timestamp(),
        },
    }


def visit(event_id: str, seconds: int = 0, amount: int = 1) -> bytes:
    happened_at = NOON + timedelta(seconds=seconds)
    return Visit(event_id, "shop", amount, happened_at).to_json().encode()


def batch(*data: bytes) -> dict[str, Any]:
    return {"Records": [record(number, one) for number, one in enumerate(data)]}


def test_each_visit_is_counted_once_and_late_ones_are_measured(
    aggregate: ModuleType, context: Any, measured: Measured, kept: dict[str, str]
) -> None:
    event = batch(visit("a"), visit("b", seconds=-10_000), visit("a"))

    assert aggregate.handler(event, context) == {"batchItemFailures": []}

    assert aggregate.totals.seen.keys() == {"a", "b"}
    assert kept == {}
    expected = {"EventsCounted": 2, "DuplicateEvents": 1, "LateEvents": 1, "RecordsKept": 0}
    assert measured() == expected


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        pytest.param(b"\xff", "the record must be UTF-8 text", id="not text"),
        pytest.param(b"", "the body must be JSON", id="empty"),
        pytest.param(b"[]", "the body must be a JSON object", id="of another producer"),
        pytest.param(b'"' + b"a" * 70_000 + b'"', "the record has 70002 bytes", id="too large"),
        pytest.param(visit("a", amount=-1), "amount must be", id="a field is invalid"),
        pytest.param(visit("a", seconds=-OLDEST - 1), "before the arrival", id="too old"),
        pytest.param(visit("a", seconds=AHEAD + 1), "after the arrival", id="clock ahead"),
    ],
)
def test_record_that_can_never_succeed_is_kept_and_the_batch_goes_on(
    aggregate: ModuleType, context: Any, kept: dict[str, str], data: bytes, cause: str
) -> None:
    event = batch(visit("before"), data, visit("after"))

    assert aggregate.handler(event, context) == {"batchItemFailures": []}

    [(number, found)] = kept.items()
    assert int(number) == 1
    assert cause in found
    assert aggregate.totals.seen.keys() == {"before", "after"}


def test_used_id_with_other_content_is_kept(
    aggregate: ModuleType, context: Any, kept: dict[str, str]
) -> None:
    aggregate.handler(batch(visit("a"), visit("a", amount=2)), context)

    assert kept == {f"{1:056}": "other content"}


def test_no_content_of_a_visit_is_logged(aggregate: ModuleType, context: Any, lines: Lines) -> None:
    aggregate.handler(batch(visit("a"), b'{"site": "private"}'), context)

    assert "private" not in json.dumps(lines())


@pytest.mark.parametrize("count", [0, 1])
def test_small_batches_are_processed(aggregate: ModuleType, context: Any, count: int) -> None:
    event = batch(*(visit(str(number)) for number in range(count)))

    assert aggregate.handler(event, context) == {"batchItemFailures": []}
    assert len(aggregate.totals.seen) == count


def test_memory_does_not_grow_with_the_batch(
    aggregate: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 records are the most that Lambda hands over: here 20 times as many as before."""
    monkeypatch.setattr(aggregate, "totals", NoTotals())

    def peak(count: int) -> int:
        event = batch(*(visit(str(number)) for number in range(count)))
        return _peak(lambda: aggregate.handler(event, context))

    peak(10_000)  # What is imported or made once is there from now on.
    assert peak(10_000) < 5 * peak(500)


def _peak(work: Callable[[], object]) -> int:
    """The most bytes that were allocated at one time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
