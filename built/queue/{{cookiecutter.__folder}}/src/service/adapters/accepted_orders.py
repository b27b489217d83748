"""Records which order each caller's order_id is, when the order is accepted."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.domain.orders import Order
from toolkit.runtime.idempotency import SECONDS_PER_DAY, fingerprint_of
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class OrderIdUsedError(Exception):
    """The caller used the order_id before, for a different order."""


class AcceptedOrders:
    """Records in the idempotency table, beside those of shipped orders."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._keep_seconds = keep_days * SECONDS_PER_DAY

    @tracer.capture_method(capture_response=False)
    def remember(self, caller: str, order: Order, now: int) -> None:
        """Record the order before it is sent. Recording the same order again is not an error.

        Raises:
            OrderIdUsedError: the caller used the order_id for a different order.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": f"accepted#{caller}#{order.order_id}"},
                    "fingerprint": {"S": fingerprint_of(order.to_json())},
                    "expires_at": {"N": str(now + self._keep_seconds)},
                },
                # DynamoDB deletes expired items within days, not at once.
                ConditionExpression=(
                    "attribute_not_exists(id) OR fingerprint = :fingerprint OR expires_at < :now"
                ),
                ExpressionAttributeValues={
                    ":fingerprint": {"S": fingerprint_of(order.to_json())},
                    ":now": {"N": str(now)},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise OrderIdUsedError(order.order_id) from error
            raise
