"""An accepted order is remembered under its caller and id; what DynamoDB says decides."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.accepted_orders import AcceptedOrders, OrderIdUsedError
from service.domain.orders import Order
from toolkit.runtime.idempotency import fingerprint_of
from toolkit.testing import Trace

NOW = 1_000_000
ORDER = Order("order-1", "teapot", 2)
OTHER = Order("order-1", "teapot", 3)


class DynamoDb:
    """Stands in for DynamoDB: keeps records as the condition says."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.records: dict[str, Any] = {}
        self.error = error

    def put_item(
        self,
        TableName: str,  # noqa: N803 (as boto3 names it)
        Item: dict[str, Any],  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803
    ) -> None:
        if self.error:
            raise self.error
        assert TableName == "records"
        assert ConditionExpression == (
            "attribute_not_exists(id) OR fingerprint = :fingerprint OR expires_at < :now"
        )
        values = ExpressionAttributeValues
        earlier = self.records.get(Item["id"]["S"])
        if (
            earlier
            and earlier["fingerprint"] != values[":fingerprint"]
            and int(earlier["expires_at"]["N"]) >= int(values[":now"]["N"])
        ):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        self.records[Item["id"]["S"]] = Item


def remember(dynamodb: Any, caller: str = "a", order: Order = ORDER, now: int = NOW) -> None:
    AcceptedOrders(dynamodb, "records", keep_days=2).remember(caller, order, now)


def test_accepted_order_is_recorded_with_its_fingerprint() -> None:
    dynamodb = DynamoDb()

    remember(dynamodb)

    assert dynamodb.records == {
        "accepted#a#order-1": {
            "id": {"S": "accepted#a#order-1"},
            "fingerprint": {"S": fingerprint_of(ORDER.to_json())},
            "expires_at": {"N": str(NOW + 2 * 86_400)},
        }
    }


def test_repeated_order_is_accepted_and_its_record_kept_longer() -> None:
    dynamodb = DynamoDb()
    remember(dynamodb)

    remember(dynamodb, now=NOW + 10)

    [record] = dynamodb.records.values()
    assert record["expires_at"] == {"N": str(NOW + 10 + 2 * 86_400)}


def test_different_order_with_the_same_id_is_refused() -> None:
    dynamodb = DynamoDb()
    remember(dynamodb)

    with pytest.raises(OrderIdUsedError):
        remember(dynamodb, order=OTHER)


def test_another_caller_can_use_the_same_id() -> None:
    dynamodb = DynamoDb()
    remember(dynamodb, caller="a")

    remember(dynamodb, caller="b", order=OTHER)

    assert len(dynamodb.records) == 2


def test_expired_record_is_ignored() -> None:
    dynamodb = DynamoDb()
    remember(dynamodb)

    remember(dynamodb, order=OTHER, now=NOW + 3 * 86_400)


def test_other_errors_are_raised() -> None:
    error = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    with pytest.raises(ClientError, match="Throttling"):
        remember(DynamoDb(error))


def test_recording_is_traced(trace: Trace) -> None:
    remember(DynamoDb())

    assert trace == {"## service.adapters.accepted_orders.AcceptedOrders.remember": {}}
