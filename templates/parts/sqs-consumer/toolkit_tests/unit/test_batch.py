"""Each record of a batch is done, retried, or a dead letter, and none affects another."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runtime.batch import PermanentError, Record, process_batch
from toolkit.runtime.observability import observed
from toolkit.testing import Lines, Measured

LAST_ATTEMPT = 3


def record(message_id: str, attempt: int = 1) -> Record:
    return {
        "messageId": message_id,
        "body": "",
        "attributes": {"ApproximateReceiveCount": str(attempt)},
        "messageAttributes": {},
    }


def run(
    records: list[Record],
    errors: dict[str, Exception],
    has_time: Callable[[], bool] = lambda: True,
) -> tuple[set[str], dict[str, str]]:
    """Ids to retry, and causes of dead letters, when some records raise."""
    aside: dict[str, str] = {}

    def work(record: Record) -> None:
        if error := errors.get(record["messageId"]):
            raise error

    def send_dead_letter(record: Record, cause: str) -> None:
        aside[record["messageId"]] = cause

    answer = process_batch(records, work, send_dead_letter, LAST_ATTEMPT, has_time)
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}, aside


def test_a_batch_that_works_leaves_nothing() -> None:
    assert run([record("a"), record("b")], {}) == (set(), {})


def test_an_error_that_may_pass_is_tried_again() -> None:
    assert run([record("a"), record("b")], {"a": TimeoutError()}) == ({"a"}, {})


def test_permanent_error_goes_to_the_dead_letter_queue_at_once() -> None:
    errors: dict[str, Exception] = {"a": PermanentError("no order")}

    assert run([record("a"), record("b")], errors) == (set(), {"a": "PermanentError: no order"})


def test_what_there_is_no_time_for_is_left_for_the_next_delivery() -> None:
    time_left = iter([True, False, False])

    assert run([record("a"), record("b"), record("c")], {}, lambda: next(time_left)) == (
        {"b", "c"},
        {},
    )


def test_last_attempt_goes_to_the_dead_letter_queue_with_its_cause() -> None:
    again, aside = run([record("a", attempt=LAST_ATTEMPT)], {"a": TimeoutError("too slow")})

    assert (again, aside) == (set(), {"a": "TimeoutError: too slow"})


def test_message_stays_in_the_queue_when_the_dead_letter_cannot_be_sent(lines: Lines) -> None:
    def work(record: Record) -> None:
        raise PermanentError

    def send_dead_letter(record: Record, cause: str) -> None:
        raise ConnectionError

    answer = process_batch([record("a")], work, send_dead_letter, LAST_ATTEMPT, lambda: True)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert ("ERROR", "could not be sent to the dead-letter queue") in [
        (line["level"], line["message"]) for line in lines()
    ]


def test_the_first_line_names_all_messages_should_the_function_die_over_one(lines: Lines) -> None:
    run([record("a"), record("b")], {"a": TimeoutError()})

    first, *_ = lines()
    assert (first["message"], first["message_ids"]) == ("took messages", ["a", "b"])


@pytest.mark.parametrize(
    ("error", "attempt", "level", "message"),
    [
        pytest.param(TimeoutError(), 1, "WARNING", "will be retried", id="may pass"),
        pytest.param(
            TimeoutError(),
            LAST_ATTEMPT,
            "ERROR",
            "sent to the dead-letter queue",
            id="last attempt",
        ),
        pytest.param(PermanentError(), 1, "ERROR", "sent to the dead-letter queue", id="permanent"),
    ],
)
def test_the_log_says_what_became_of_a_message_that_failed(
    lines: Lines, error: Exception, attempt: int, level: str, message: str
) -> None:
    """The runbook searches by level: what somebody must look into is an ERROR."""
    attributes = {"correlation_id": {"stringValue": "abc"}}

    run([record("a", attempt) | {"messageAttributes": attributes}], {"a": error})

    *_, last = lines()
    assert (last["level"], last["message"]) == (level, message)
    assert (last["message_id"], last["correlation_id"]) == ("a", "abc")
    assert (last["attempt"], last["cause"]) == (attempt, f"{type(error).__name__}: ")


@pytest.mark.parametrize(
    ("errors", "failed"),
    [
        pytest.param({}, 0, id="none"),
        pytest.param({"a": TimeoutError()}, 1, id="one is tried again"),
        pytest.param({"a": PermanentError()}, 1, id="one is sent to the dead-letter queue"),
        pytest.param({"a": KeyError(), "b": KeyError()}, 2, id="all"),
    ],
)
def test_messages_that_failed_are_counted_for_lambda_counts_no_error(
    context: Any, measured_by_version: Measured, errors: dict[str, Exception], failed: int
) -> None:
    observed(lambda *_: run([record("a"), record("b")], errors))({}, context)

    assert measured_by_version() == {"MessagesTaken": 2, "MessagesFailed": failed}


def test_messages_for_which_no_time_is_left_count_as_failed(
    context: Any, measured_by_version: Measured
) -> None:
    observed(lambda *_: run([record("a"), record("b")], {}, lambda: False))({}, context)

    assert measured_by_version() == {"MessagesTaken": 2, "MessagesFailed": 2}


outcomes = st.sampled_from([None, PermanentError("permanent"), ValueError("transient")])


@given(st.lists(st.tuples(outcomes, st.integers(1, LAST_ATTEMPT)), max_size=10))
def test_every_record_ends_in_exactly_one_place(
    plan: list[tuple[Exception | None, int]],
) -> None:
    records = [record(str(i), attempt) for i, (_, attempt) in enumerate(plan)]
    errors = {str(i): error for i, (error, _) in enumerate(plan) if error}

    again, aside = run(records, errors)

    assert not again & aside.keys()
    assert again | aside.keys() == errors.keys()
    assert all(
        (str(i) in aside) == (isinstance(error, PermanentError) or attempt == LAST_ATTEMPT)
        for i, (error, attempt) in enumerate(plan)
        if error
    )


@pytest.mark.parametrize("attributes", [{}, {"correlation_id": {"stringValue": "abc"}}])
def test_a_record_without_a_correlation_id_is_worked_on_too(attributes: Any) -> None:
    assert run([record("a") | {"messageAttributes": attributes}], {}) == (set(), {})
