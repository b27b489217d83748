"""A conflict of two transactions is retried for a while, with random pauses; nothing else is."""

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runtime import transactions
from toolkit.runtime.transactions import CONFLICT_SECONDS, cancellation_reasons, write_all

ITEMS: Any = [{"Put": {}}, {"Update": {}}]


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


CONFLICT = cancelled("None", "TransactionConflict")


class DynamoDb:
    """Stands in for DynamoDB: fails with each of these errors in turn, then writes."""

    def __init__(self, *errors: ClientError, always: ClientError | None = None) -> None:
        self.errors = list(errors)
        self.always = always
        self.calls = 0

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803 (as boto3 names it)
        assert TransactItems == ITEMS
        self.calls += 1
        if self.always:
            raise self.always
        if self.errors:
            raise self.errors.pop(0)


class Clock:
    """Time passes in pauses only."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(transactions, "time", clock)
    return clock


def test_a_conflict_is_retried_until_it_is_over(clock: Clock) -> None:
    dynamodb: Any = DynamoDb(*[CONFLICT] * 5)

    write_all(dynamodb, ITEMS)

    assert dynamodb.calls == 6
    assert len(set(clock.pauses)) == 5, "pauses are random, so that two do not meet again"


def test_a_conflict_that_does_not_end_is_raised_in_time(clock: Clock) -> None:
    dynamodb: Any = DynamoDb(always=CONFLICT)

    with pytest.raises(ClientError) as raised:
        write_all(dynamodb, ITEMS)

    assert raised.value is CONFLICT
    assert sum(clock.pauses) <= CONFLICT_SECONDS
    assert max(clock.pauses) <= 0.4
    assert dynamodb.calls > 5


def test_time_that_calls_take_counts(clock: Clock) -> None:
    class Slow(DynamoDb):
        def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
            clock.now += CONFLICT_SECONDS
            super().transact_write_items(TransactItems)

    dynamodb: Any = Slow(always=CONFLICT)

    with pytest.raises(ClientError):
        write_all(dynamodb, ITEMS)

    assert dynamodb.calls == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(cancelled("ConditionalCheckFailed", "None"), id="a condition"),
        pytest.param(cancelled("ConditionalCheckFailed", "TransactionConflict"), id="both"),
        pytest.param(cancelled("None", "ThrottlingError"), id="throttled"),
        pytest.param(
            ClientError({"Error": {"Code": "ValidationException"}}, "TransactWriteItems"),
            id="other",
        ),
    ],
)
def test_anything_else_is_raised_at_once(clock: Clock, error: ClientError) -> None:
    dynamodb: Any = DynamoDb(always=error)

    with pytest.raises(ClientError):
        write_all(dynamodb, ITEMS)

    assert (dynamodb.calls, clock.pauses) == (1, [])


@given(st.integers(0, 8))
def test_it_is_written_once_however_often_it_conflicts(conflicts: int) -> None:
    dynamodb: Any = DynamoDb(*[CONFLICT] * conflicts)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transactions, "time", Clock())
        write_all(dynamodb, ITEMS)

    assert dynamodb.calls == conflicts + 1


def test_an_error_that_is_no_cancellation_has_no_reasons() -> None:
    assert cancellation_reasons(ConnectionError()) == []


def test_the_sdk_itself_does_not_retry_a_conflict() -> None:
    """Should botocore learn to, this module can go."""
    loader = botocore.session.get_session().get_component("data_loader")

    assert "TransactionCanceled" not in str(loader.load_data("_retry"))
