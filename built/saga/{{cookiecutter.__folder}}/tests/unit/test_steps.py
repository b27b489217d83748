"""A step is done once and undone once; what DynamoDB says decides."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.steps import EffectRefusedError, Steps, StepUndoneError
from service.adapters.try_again import TryAgainError
from toolkit.runtime import transactions

NOW = 1_000_000
EFFECT: Any = [{"Update": {"TableName": "effects", "change": 1}}]
REVERSE: Any = [{"Update": {"TableName": "effects", "change": -1}}]


class DynamoDb:
    """Stands in for DynamoDB: keeps the records of steps as its transactions would."""

    def __init__(self, error: Exception | None = None) -> None:
        self.records: dict[tuple[str, str], Any] = {}
        self.effects = 0
        self.error = error
        self.meanwhile: Callable[[], None] = lambda: None

    def transact_write_items(self, TransactItems: list[Any]) -> None:  # noqa: N803 (as boto3 names it)
        if self.error:
            raise self.error
        put, *effects = TransactItems
        record = put["Put"]
        key = (record["Item"]["order_key"]["S"], record["Item"]["step"]["S"])
        earlier = self.records.get(key)
        wants_none = record["ConditionExpression"] == "attribute_not_exists(order_key)"
        if not wants_none:
            assert record["ExpressionAttributeNames"] == {"#state": "state"}
            assert record["ExpressionAttributeValues"] == {":done": {"S": "done"}}
            assert record["ConditionExpression"] == "#state = :done"
        if (earlier is not None) if wants_none else not is_done(earlier):
            self.meanwhile()
            assert record["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
            reason = {"Code": "ConditionalCheckFailed"} | ({"Item": earlier} if earlier else {})
            raise cancelled(reason, *({"Code": "None"} for _ in effects))
        self.records[key] = record["Item"]
        self.effects += sum(effect["Update"]["change"] for effect in effects)


def is_done(record: Any) -> bool:
    return record is not None and record["state"] == {"S": "done"}


def cancelled(*reasons: Any) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": list(reasons),
    }
    return ClientError(response, "TransactWriteItems")


def refused(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "TransactWriteItems")


def steps(dynamodb: DynamoDb) -> Steps:
    return Steps(dynamodb, "steps", keep_days=2)  # type: ignore[arg-type]


def do(dynamodb: DynamoDb, result: str = "first") -> str:
    return steps(dynamodb).do_once("order-1", "payment", EFFECT, result, NOW)


def undo(dynamodb: DynamoDb) -> bool:
    return steps(dynamodb).undo_once("order-1", "payment", REVERSE, NOW)


def test_step_takes_effect_and_is_recorded() -> None:
    dynamodb = DynamoDb()

    assert do(dynamodb) == "first"

    assert dynamodb.effects == 1
    assert dynamodb.records["order-1", "payment"] == {
        "order_key": {"S": "order-1"},
        "step": {"S": "payment"},
        "state": {"S": "done"},
        "result": {"S": "first"},
        "expires_at": {"N": str(NOW + 2 * 86_400)},
    }


def test_repeated_step_has_no_effect_and_gets_the_first_answer() -> None:
    dynamodb = DynamoDb()
    do(dynamodb, "first")

    assert do(dynamodb, "second") == "first"

    assert dynamodb.effects == 1


def test_a_step_that_was_done_is_undone_once() -> None:
    dynamodb = DynamoDb()
    do(dynamodb)

    assert undo(dynamodb)
    assert not undo(dynamodb)

    assert dynamodb.effects == 0


def test_compensation_without_a_step_makes_a_late_step_fail() -> None:
    dynamodb = DynamoDb()

    assert not undo(dynamodb)

    with pytest.raises(StepUndoneError):
        do(dynamodb)
    assert dynamodb.effects == 0
    assert dynamodb.records["order-1", "payment"]["expires_at"] == {"N": str(NOW + 2 * 86_400)}


def test_step_that_arrives_during_its_compensation_is_undone_by_the_retry() -> None:
    dynamodb = DynamoDb()

    def lands() -> None:
        dynamodb.meanwhile = lambda: None
        do(dynamodb)

    dynamodb.meanwhile = lands

    with pytest.raises(TryAgainError):
        undo(dynamodb)
    assert undo(dynamodb)
    assert dynamodb.effects == 0


@given(st.lists(st.sampled_from([do, undo]), max_size=8))
def test_effect_is_done_or_undone_for_every_sequence_of_calls(
    calls: list[Callable[[DynamoDb], object]],
) -> None:
    dynamodb = DynamoDb()

    for call in calls:
        try:
            call(dynamodb)
        except StepUndoneError:
            assert undo in calls
        assert dynamodb.effects in (0, 1)

    assert dynamodb.effects == (1 if do in calls and undo not in calls else 0)


def test_failed_condition_of_the_effect_differs_from_one_of_the_record() -> None:
    error = cancelled({"Code": "None"}, {"Code": "ConditionalCheckFailed"})

    with pytest.raises(EffectRefusedError):
        do(DynamoDb(error))


def test_step_that_was_done_before_succeeds_when_it_could_not_be_done_now() -> None:
    """The last in stock went to this very order: there is none left for its second attempt."""
    existing = {"state": {"S": "done"}, "result": {"S": "first"}}
    error = cancelled(
        {"Code": "ConditionalCheckFailed", "Item": existing}, {"Code": "ConditionalCheckFailed"}
    )

    assert do(DynamoDb(error), "second") == "first"


@pytest.mark.parametrize("call", [do, undo])
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(cancelled({"Code": "TransactionConflict"}), id="another write at once"),
        pytest.param(cancelled({"Code": "None"}, {"Code": "ThrottlingError"}), id="hot item"),
        pytest.param(refused("ThrottlingException"), id="throttled"),
        pytest.param(refused("InternalServerError", 500), id="broken over there"),
        pytest.param(ConnectTimeoutError(endpoint_url="x"), id="no connection"),
    ],
)
def test_temporary_error_is_raised_as_try_again_error(
    error: Exception, call: Callable[[DynamoDb], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "CONFLICT_SECONDS", 0)

    with pytest.raises(TryAgainError):
        call(DynamoDb(error))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_permanent_error_is_raised_unchanged(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        do(DynamoDb(refused(code)))
