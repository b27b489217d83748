"""The worker does one page for each message, and hands the rest on."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.domain.invoices import Customer
from toolkit.runtime.runs import LeaseLostError, Passed, RefusedRunError, RunMessage, State
from toolkit.testing import Lines, Measured, Trace

SCHEDULE = "arn:aws:scheduler:eu-west-1:123456789012:schedule/runs/every-day"
TIME, SINCE = "2026-01-02T02:00:00Z", "2026-01-01T02:00:00Z"
RUN = State(SCHEDULE, token=1, scheduled_time=TIME, since=SINCE)


class Runs:
    """Stands in for the table of runs."""

    def __init__(self) -> None:
        self.answer: Any = RUN
        self.written: list[tuple[str, list[str], str]] = []

    def take(self, _: RunMessage, __: str, ___: int, *, redriven: bool) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.redriven = redriven
        return self.answer

    def hand_on(self, run: State, effects: list[Any], cursor: str, _: int) -> RunMessage:
        self.written.append(("handed on", self.ids(effects), cursor))
        return RunMessage(run.schedule, run.scheduled_time, page=run.page + 1)

    def complete(self, _: State, effects: list[Any]) -> None:
        self.written.append(("complete", self.ids(effects), ""))

    @staticmethod
    def ids(effects: list[Any]) -> list[str]:
        return [effect["Put"]["Item"]["customer_id"]["S"] for effect in effects]


class Customers:
    """Stands in for the table of customers."""

    def __init__(self, *names: str) -> None:
        self.all = [Customer(name, 100, "2026-01-01T00:00:00Z") for name in names]

    def after(self, cursor: str, limit: int) -> tuple[list[Customer], bool]:
        rest = [customer for customer in self.all if customer.customer_id > cursor]
        return rest[:limit], len(rest) > limit


class Queue:
    """Stands in for the queue."""

    def __init__(self) -> None:
        self.sent: list[tuple[RunMessage, str]] = []

    def send(self, message: RunMessage, correlation_id: str) -> None:
        self.sent.append((message, correlation_id))


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("RUNS_TABLE", "CUSTOMERS_TABLE", "INVOICES_TABLE", "QUEUE_URL"):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "https://dead-letters")
    numbers = ("MAX_RECEIVE_COUNT", "PAGE_SIZE", "MAX_PAGES", "LEASE_SECONDS", "CATCH_UP_HOURS")
    for name in numbers:
        monkeypatch.setenv(name, "3")
    module = importlib.import_module("service.handlers.process")
    monkeypatch.setattr(module, "runs", Runs())
    monkeypatch.setattr(module, "customers", Customers("a", "b", "c", "d"))
    monkeypatch.setattr(module, "queue", Queue())
    return module


def event(body: str = RunMessage(SCHEDULE, TIME).to_json(), **attributes: str) -> dict[str, Any]:
    record = {
        "messageId": "message-1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()
        },
    }
    return {"Records": [record]}


def test_page_is_done_and_the_rest_is_handed_on(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    assert process.handler(event(), context) == {"batchItemFailures": []}

    assert process.runs.written == [("handed on", ["a", "b", "c"], "c")]
    assert process.queue.sent == [(RunMessage(SCHEDULE, TIME, page=1), "message-1")]
    assert measured() == {"PagesInRun": 1, "ItemsProcessed": 3}


def test_last_page_completes_the_run(process: ModuleType, context: Any, measured: Measured) -> None:
    process.runs.answer = State(
        SCHEDULE, token=2, scheduled_time=TIME, since=SINCE, page=1, cursor="c"
    )

    process.handler(event(correlation_id="first"), context)

    assert process.runs.written == [("complete", ["d"], "")]
    assert process.queue.sent == []
    assert measured() == {"RunsCompleted": 1, "PagesInRun": 2, "ItemsProcessed": 1}


def test_page_ends_at_what_is_done_when_time_runs_out(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked before the page, and before each item: enough for two of them."""
    left = iter([30_000, 30_000, 30_000, 1_000])
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: next(left))

    process.handler(event(), context)

    assert process.runs.written == [("handed on", ["a", "b"], "b")]
    assert len(process.queue.sent) == 1


def test_message_stays_in_the_queue_when_time_has_run_out(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 1_000)

    answer = process.handler(event(), context)

    assert len(answer["batchItemFailures"]) == 1
    assert process.runs.written == []


@pytest.mark.parametrize(
    ("reason", "metric"),
    [
        (Passed.COMPLETE, "DuplicateMessages"),
        (Passed.AT_WORK, "DuplicateMessages"),
        (Passed.OVERLAPS, "RunsSkipped"),
    ],
)
def test_message_that_asks_for_nothing_ends_without_an_error(
    process: ModuleType, context: Any, measured: Measured, reason: Passed, metric: str
) -> None:
    process.runs.answer = reason

    assert process.handler(event(), context) == {"batchItemFailures": []}
    assert measured() == {metric: 1}
    assert process.runs.written == []


def test_lost_lease_is_tried_again(process: ModuleType, context: Any) -> None:
    process.runs.answer = LeaseLostError("of a schedule")

    assert len(process.handler(event(), context)["batchItemFailures"]) == 1


@pytest.mark.parametrize(
    ("answer", "body", "cause"),
    [
        (RefusedRunError("too long"), RunMessage(SCHEDULE, TIME).to_json(), "too long"),
        (RUN, '{"scheduled_time": "<aws.scheduler.scheduled-time>"}', "make run-now AT="),
        (RUN, "no JSON", "the body must be JSON"),
    ],
)
def test_what_can_never_run_goes_to_the_dead_letter_queue(
    process: ModuleType,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    body: str,
    cause: str,
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(process, "send_dead_letter", lambda _, cause: aside.append(cause))
    process.runs.answer = answer

    assert process.handler(event(body), context) == {"batchItemFailures": []}
    [given] = aside
    assert cause in given
    assert process.runs.written == []


def test_run_is_told_when_an_operator_sent_the_message_back(
    process: ModuleType, context: Any
) -> None:
    process.handler(event(dead_letter_cause="why"), context)

    assert process.runs.redriven


def test_crashed_run_is_taken_up_by_a_later_one(
    process: ModuleType, context: Any, measured: Measured, lines: Lines
) -> None:
    body = RunMessage(SCHEDULE, "2026-01-03T02:00:00Z").to_json()

    process.handler(event(body), context)

    assert process.queue.sent[0][0].scheduled_time == TIME
    assert measured()["RunsSkipped"] == 1
    assert "taken up again" in {line["message"] for line in lines()}


def test_log_has_the_run_and_not_who_is_billed(
    process: ModuleType, context: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "customers", Customers("marked"))

    process.handler(event(), context)

    assert TIME in {line.get("run") for line in lines()}
    assert "marked" not in str(lines())


def test_each_page_is_traced(process: ModuleType, context: Any, trace: Trace) -> None:
    process.handler(event(), context)

    assert trace == {"## handler": {}, "## service.handlers.process.do_page": {}}


def test_sample_event_is_a_run() -> None:
    from pathlib import Path

    from toolkit.runtime.runs import parse_run

    sample = Path(__file__).resolve().parents[2] / "events" / "process.json"
    [record] = json.loads(sample.read_text("utf-8"))["Records"]

    assert parse_run(record["body"]) == RunMessage(SCHEDULE, "2026-01-01T02:00:00Z")
