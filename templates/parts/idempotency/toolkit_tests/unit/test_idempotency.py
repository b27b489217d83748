"""A key takes effect once; what DynamoDB says decides."""

from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.runtime import transactions
from toolkit.runtime.idempotency import IdempotentWriter, KeyReusedError

EFFECT: Any = [{"Put": {"TableName": "effects", "Item": {"id": {"S": "e"}}}}]
NOW = 1_000_000


class DynamoDb:
    """Stands in for DynamoDB: keeps idempotency records as its transactions would."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.records: dict[str, Any] = {}
        self.transactions: list[list[Any]] = []
        self.effects = 0
        self.error = error

    def transact_write_items(self, TransactItems: list[Any]) -> None:  # noqa: N803 (as boto3 names it)
        self.transactions.append(TransactItems)
        if self.error:
            raise self.error
        item = TransactItems[0]["Put"]["Item"]
        earlier = self.records.get(item["id"]["S"])
        if earlier and int(earlier["expires_at"]["N"]) >= NOW:
            raise cancelled({"Code": "ConditionalCheckFailed", "Item": earlier}, {"Code": "None"})
        self.records[item["id"]["S"]] = item
        self.effects += len(TransactItems) - 1


def cancelled(*reasons: Any) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": list(reasons),
    }
    return ClientError(response, "TransactWriteItems")


def writer(dynamodb: DynamoDb) -> IdempotentWriter:
    return IdempotentWriter(dynamodb, "records", keep_days=2)  # type: ignore[arg-type]


def test_the_first_time_takes_effect_and_is_remembered_for_its_days() -> None:
    dynamodb = DynamoDb()

    assert writer(dynamodb).write_once("key", "content", EFFECT, NOW)

    assert dynamodb.effects == 1
    assert dynamodb.records["key"]["expires_at"] == {"N": str(NOW + 2 * 86_400)}


def test_the_effect_stands_or_falls_with_a_record_that_replaces_none_but_an_expired_one() -> None:
    dynamodb = DynamoDb()

    writer(dynamodb).write_once("key", "content", EFFECT, NOW)

    record = {
        "TableName": "records",
        "Item": {
            "id": {"S": "key"},
            "fingerprint": {"S": sha256(b"content").hexdigest()},
            "expires_at": {"N": str(NOW + 2 * 86_400)},
        },
        "ConditionExpression": "attribute_not_exists(id) OR expires_at < :now",
        "ExpressionAttributeValues": {":now": {"N": str(NOW)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert dynamodb.transactions == [[{"Put": record}, *EFFECT]]


def test_the_second_time_does_not() -> None:
    dynamodb = DynamoDb()
    writer(dynamodb).write_once("key", "content", EFFECT, NOW)

    assert not writer(dynamodb).write_once("key", "content", EFFECT, NOW)

    assert dynamodb.effects == 1


def test_other_content_under_a_used_key_is_an_error_for_good() -> None:
    dynamodb = DynamoDb()
    writer(dynamodb).write_once("key", "content", EFFECT, NOW)

    with pytest.raises(KeyReusedError, match="key"):
        writer(dynamodb).write_once("key", "other content", EFFECT, NOW)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            cancelled({"Code": "TransactionConflict"}), id="another write at the same time"
        ),
        pytest.param(
            cancelled({"Code": "None"}, {"Code": "ConditionalCheckFailed"}),
            id="a condition of the effect",
        ),
        pytest.param(
            ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems"),
            id="throttled",
        ),
    ],
)
def test_anything_else_is_raised_to_be_tried_again(
    error: ClientError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "CONFLICT_SECONDS", 0)

    with pytest.raises(ClientError):
        writer(DynamoDb(error)).write_once("key", "content", EFFECT, NOW)
