"""Each scheduled time once, one run at a time, whatever comes twice, late or crashes."""

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.runs import (
    LeaseLostError,
    Limits,
    Passed,
    RefusedRunError,
    RunMessage,
    Runs,
    State,
    leased,
    parse_run,
    seconds_of,
)

SCHEDULE = "arn:aws:scheduler:eu-west-1:123456789012:schedule/runs/every-day"
T1, T2, T3, T4 = (f"2026-01-0{day}T02:00:00Z" for day in range(1, 5))
LIMITS = Limits(lease_seconds=60, catch_up_hours=48, max_pages=10)
NOW = seconds_of("2026-02-01T00:00:00Z")
AT_WORK = State(
    SCHEDULE,
    token=3,
    watermark=T1,
    scheduled_time=T2,
    since=T1,
    page=2,
    cursor="b",
    owner="one",
    lease_until=NOW + 60,
)


def ask(
    state: State,
    time: str,
    owner: str = "other",
    *,
    page: int = 0,
    now: int = NOW,
    redriven: bool = False,
) -> Any:
    message = RunMessage(SCHEDULE, time, page=page)
    return leased(state, message, owner, now, LIMITS, redriven=redriven)


class Dynamo:
    """Stands in for DynamoDB: one table of states, and one of effects."""

    def __init__(self) -> None:
        self.item: dict[str, Any] | None = None
        self.effects: Counter[str] = Counter()

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": self.item} if self.item else {}

    def put_item(self, **put: Any) -> None:
        if not self._holds(put):
            code = {"Code": "ConditionalCheckFailedException", "Message": ""}
            raise ClientError({"Error": code}, "PutItem")  # type: ignore[typeddict-item]
        self.item = put["Item"]

    def transact_write_items(self, TransactItems: list[Any]) -> None:  # noqa: N803
        state, *effects = TransactItems
        if not self._holds(state["Put"]):
            reasons = [{"Code": "ConditionalCheckFailed"}, *({"Code": "None"} for _ in effects)]
            error: Any = {"Error": {"Code": "TransactionCanceledException", "Message": ""}}
            raise ClientError(error | {"CancellationReasons": reasons}, "TransactWriteItems")
        self.item = state["Put"]["Item"]
        self.effects.update(effect["Put"] for effect in effects)

    def _holds(self, put: dict[str, Any]) -> bool:
        if put["ConditionExpression"] == "attribute_not_exists(schedule)":
            return self.item is None
        assert put["ConditionExpression"] == "#token = :token"
        assert put["ExpressionAttributeNames"] == {"#token": "token"}
        given = put["ExpressionAttributeValues"][":token"]
        return self.item is not None and self.item["token"] == given


def test_first_run_begins_at_its_own_time() -> None:
    run = ask(State(SCHEDULE), T2, "one")

    assert run == State(
        SCHEDULE, token=1, scheduled_time=T2, since=T2, owner="one", lease_until=NOW + 60
    )


def test_run_covers_the_time_since_the_watermark() -> None:
    run = ask(State(SCHEDULE, token=5, watermark=T1), T3)

    assert (run.since, run.scheduled_time, run.token, run.page) == (T1, T3, 6, 0)


@pytest.mark.parametrize("time", [T1, "2025-12-31T02:00:00Z"])
def test_time_that_is_not_after_the_watermark_is_complete(time: str) -> None:
    assert ask(AT_WORK, time) is Passed.COMPLETE


def test_same_time_is_at_work_while_the_lease_is_held() -> None:
    assert ask(AT_WORK, T2) is Passed.AT_WORK
    assert ask(AT_WORK, T2, page=2) is Passed.AT_WORK


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        pytest.param(AT_WORK, {"owner": "one"}, id="delivered again after a crash"),
        pytest.param(replace(AT_WORK, handed_on=True), {"page": 2}, id="the page handed on"),
        pytest.param(replace(AT_WORK, lease_until=NOW), {}, id="the lease has expired"),
        pytest.param(AT_WORK, {"redriven": True}, id="redriven by an operator"),
    ],
)
def test_lease_goes_to_who_may_go_on(state: State, asked: dict[str, Any]) -> None:
    run = ask(state, T2, **asked)

    assert (run.page, run.cursor, run.since) == (2, "b", T1)
    assert (run.token, run.handed_on, run.lease_until) == (4, False, NOW + 60)


def test_message_for_a_page_that_is_done_does_not_go_on() -> None:
    """Else two chains of messages would go on side by side."""
    assert ask(replace(AT_WORK, handed_on=True), T2, page=1) is Passed.AT_WORK


@pytest.mark.parametrize("time", [T3, "2026-01-01T12:00:00Z"])
def test_other_run_is_skipped_while_the_lease_is_held(time: str) -> None:
    assert ask(AT_WORK, time) is Passed.OVERLAPS


def test_later_run_takes_up_a_crashed_one_and_an_earlier_does_not() -> None:
    crashed = replace(AT_WORK, lease_until=NOW - 1)

    assert ask(crashed, T3).scheduled_time == T2
    assert ask(crashed, "2026-01-01T12:00:00Z") is Passed.OVERLAPS


def test_gap_is_covered_up_to_the_limit_and_then_a_person_decides() -> None:
    state = State(SCHEDULE, token=1, watermark=T1)

    assert ask(state, T3).since == T1
    with pytest.raises(RefusedRunError, match=f"72 hours since {T1}, and CatchUpHours is 48"):
        ask(state, T4)


def test_time_in_the_future_is_refused() -> None:
    early = seconds_of(T2) - 61

    with pytest.raises(RefusedRunError, match="is in the future"):
        ask(State(SCHEDULE), T2, now=early)
    assert isinstance(ask(State(SCHEDULE), T2, now=early + 1), State)


def test_run_stops_at_the_most_pages_and_keeps_its_place() -> None:
    state = replace(AT_WORK, page=10, handed_on=True)

    with pytest.raises(RefusedRunError, match="has reached MaxPages, which is 10"):
        ask(state, T2, page=10)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("no JSON", "must be JSON"),
        ("{}", "schedule must be the ARN of a schedule"),
        (RunMessage("arn:aws:s3:::a", T1).to_json(), "schedule must be the ARN"),
        (RunMessage(SCHEDULE, "2026-01-01T02:00:00+01:00").to_json(), "a time in UTC"),
        (RunMessage(SCHEDULE, "2026-02-30T02:00:00Z").to_json(), "is no date"),
        (RunMessage(SCHEDULE, T1, page=-1).to_json(), "page must be"),
        (RunMessage(SCHEDULE, "<aws.scheduler.scheduled-time>").to_json(), "make run-now AT="),
        (json.dumps({"schedule": SCHEDULE, "scheduled_time": T1, "more": 1}), "'more' is unknown"),
    ],
)
def test_invalid_message_is_refused_with_its_problem(body: str, problem: str) -> None:
    with pytest.raises(InvalidFieldsError, match=problem):
        parse_run(body)


@given(st.text() | st.recursive(st.none() | st.text(), lambda s: st.lists(s)).map(json.dumps))
def test_anything_is_read_or_refused(body: str) -> None:
    with pytest.raises(InvalidFieldsError):
        parse_run(body)


def test_message_is_the_same_after_the_queue() -> None:
    message = RunMessage(SCHEDULE, T1, "2", page=7)

    assert parse_run(message.to_json()) == message


def test_other_errors_of_dynamodb_are_raised() -> None:
    dynamo: Any = Dynamo()
    throttled: Any = {"Error": {"Code": "ThrottlingException", "Message": ""}}

    def throttle(**_: Any) -> None:
        raise ClientError(throttled, "PutItem")

    dynamo.put_item = dynamo.transact_write_items = throttle
    runs = Runs(dynamo, "runs", LIMITS)

    with pytest.raises(ClientError, match="Throttling"):
        runs.take(RunMessage(SCHEDULE, T1), "one", NOW)
    with pytest.raises(ClientError, match="Throttling"):
        runs.complete(AT_WORK, [])


PAGES = 4
# What happens to a message that is delivered: it is done; or its function crashes at a moment, and
# SQS delivers the message again; or it is stopped, and writes long after its lease has expired.
FATES = st.sampled_from(["done", "twice", "after lease", "after write", "after send", "stopped"])
EVENTS = st.lists(
    st.tuples(st.sampled_from([T1, T2, T3]), FATES, st.integers(0, 90)), min_size=1, max_size=30
)


@settings(max_examples=300)
@given(EVENTS, st.randoms(use_true_random=False))
def test_each_page_of_each_run_is_done_once(events: list[tuple[str, str, int]], order: Any) -> None:
    """Messages come twice, overlap and in any order; functions crash and are stopped."""
    dynamo: Any = Dynamo()
    runs = Runs(dynamo, "runs", replace(LIMITS, catch_up_hours=100))
    now, number = NOW, 0
    queue: list[tuple[str, RunMessage]] = []
    stopped: list[State] = []

    def deliver(owner: str, message: RunMessage, fate: str) -> None:
        try:
            run = runs.take(message, owner, now)
        except LeaseLostError:
            queue.append((owner, message))
            return
        if isinstance(run, Passed):
            return
        if fate == "stopped":
            stopped.append(run)
        if fate in ("after lease", "stopped"):
            queue.append((owner, message))
            return
        write(run, owner, message, fate)
        if fate == "twice":
            queue.append((owner, message))

    def write(run: State, owner: str, message: RunMessage, fate: str) -> None:
        effect: Any = {"Put": f"{run.scheduled_time} {run.page}"}
        if run.page == PAGES - 1:
            runs.complete(run, [effect])
        else:
            rest = runs.hand_on(run, [effect], str(run.page), now)
            if fate != "after write":
                queue.append((f"{owner}+", rest))
        if fate in ("after write", "after send"):
            queue.append((owner, message))

    for time, fate, seconds in events:
        number += 1
        now += seconds
        queue.append((f"message-{number}", RunMessage(SCHEDULE, time)))
        order.shuffle(queue)
        deliver(*queue.pop(), fate)
        if stopped and fate == "done":
            late = stopped.pop()
            before = dict(dynamo.effects)
            try:
                write(late, "late", RunMessage(SCHEDULE, late.scheduled_time, page=late.page), "")
            except LeaseLostError:
                assert dict(dynamo.effects) == before
    # Nothing goes wrong any more; the schedule goes on.
    for _ in range(3):
        queue.append((f"message-{number}-end", RunMessage(SCHEDULE, T4)))
        while queue:
            now += 1
            deliver(*queue.pop(0), "done")
        now += 100

    assert set(dynamo.effects.values()) == {1}
    by_run = Counter(effect.partition(" ")[0] for effect in dynamo.effects)
    assert set(by_run.values()) == {PAGES}
    assert T4 in by_run
