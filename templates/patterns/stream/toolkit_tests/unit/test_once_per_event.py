"""Events are written once, with their records, in one transaction."""

from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from toolkit.runtime.idempotency import fingerprint_of
from toolkit.runtime.once_per_event import OncePerEvent, Written
from toolkit.testing import AwsAnswers


def writer() -> OncePerEvent:
    return OncePerEvent(boto3.client("dynamodb", region_name="eu-west-1"), "idempotency", 60)


def effect(new: Any) -> list[Any]:
    key = {"id": {"S": "total"}}
    values = {":count": {"N": str(len(new))}}
    update = {"TableName": "totals", "Key": key, "UpdateExpression": "ADD n :count"}
    return [{"Update": update | {"ExpressionAttributeValues": values}}]


def cancelled(*reasons: str | None) -> ClientError:
    """By what is there already: its content; None is nothing."""
    codes: list[dict[str, Any]] = [
        {"Code": "None"}
        if content is None
        else {
            "Code": "ConditionalCheckFailed",
            "Item": {"fingerprint": {"S": fingerprint_of(content)}},
        }
        for content in reasons
    ]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [*codes, {"Code": "None"}],
    }
    return ClientError(answer, "TransactWriteItems")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[Any]]:
    """What DynamoDB answers next, and what it was asked."""
    outcomes: list[Any] = []
    asked: list[Any] = []

    def call(_: Any, __: str, parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append(parameters["TransactItems"])
        outcome = outcomes.pop(0) if outcomes else None
        if outcome:
            raise outcome
        return {}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return outcomes, asked


def ids(items: list[Any]) -> list[str]:
    return [item["Put"]["Item"]["id"]["S"] for item in items if "Put" in item]


def test_records_and_effect_are_one_transaction(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"TransactWriteItems": [{}]})

    written = writer().write([("a", "1"), ("b", "2")], effect, now=1_000)

    [(_, parameters)] = asked
    *records, update = parameters["TransactItems"]
    assert written == Written(new=[0, 1])
    assert ids(records) == ["a", "b"]
    assert records[0]["Put"]["Item"]["expires_at"] == {"N": str(1_000 + 60 * 86_400)}
    assert records[0]["Put"]["ConditionExpression"] == (
        "attribute_not_exists(id) OR expires_at < :now"
    )
    assert update["Update"]["ExpressionAttributeValues"] == {":count": {"N": "2"}}


def test_second_try_has_the_records_of_exactly_the_events_it_adds(
    answers: tuple[list[Any], list[Any]],
) -> None:
    outcomes, asked = answers
    outcomes.append(cancelled(None, "2", "other"))

    written = writer().write([("a", "1"), ("b", "2"), ("c", "3")], effect, now=1)

    assert written == Written([0], [1], {2: "c was used before with other content"})
    assert [ids(items) for items in asked] == [["a", "b", "c"], ["a"]]
    assert asked[1][-1]["Update"]["ExpressionAttributeValues"] == {":count": {"N": "1"}}


def test_nothing_is_written_when_all_were_before(answers: tuple[list[Any], list[Any]]) -> None:
    outcomes, asked = answers
    outcomes.append(cancelled("1"))

    assert writer().write([("a", "1")], effect, now=1) == Written(duplicates=[0])
    assert len(asked) == 1


def test_same_id_twice_in_one_sequence_is_one_event(answers: tuple[list[Any], list[Any]]) -> None:
    _, asked = answers

    written = writer().write([("a", "1"), ("a", "1"), ("a", "2")], effect, now=1)

    assert written == Written([0], [1], {2: "a was used before with other content"})
    assert ids(asked[0]) == ["a"]


def test_other_errors_are_raised(answers: tuple[list[Any], list[Any]]) -> None:
    outcomes, _ = answers
    answer: Any = {"Error": {"Code": "ValidationException", "Message": ""}}
    outcomes.append(ClientError(answer, "TransactWriteItems"))

    with pytest.raises(ClientError, match="ValidationException"):
        writer().write([("a", "1")], effect, now=1)
