"""Records which body each delivery id came with, and whether it is in the queue."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from service.domain.deliveries import Delivery
from toolkit.runtime.idempotency import SECONDS_PER_DAY
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLAIMED, QUEUED = "claimed", "queued"


class DeliveryIdUsedError(Exception):
    """The delivery id came before, with a different body."""


class ReceivedDeliveries:
    """Records in the idempotency table, beside those of deliveries that were worked on."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._keep_seconds = keep_days * SECONDS_PER_DAY

    @tracer.capture_method(capture_response=False)
    def claim(self, delivery: Delivery, now: int) -> bool:
        """Claim a delivery's id before it is sent to the queue.

        A claim that was not followed by `queued` is of an attempt that failed, or is under way: it
        is given again, so that no failure makes the provider's retry a duplicate.

        Returns:
            False if the delivery is in the queue already, or was.

        Raises:
            DeliveryIdUsedError: the id came with a different body.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    **_key(delivery),
                    "fingerprint": {"S": delivery.fingerprint},
                    "progress": {"S": CLAIMED},
                    "expires_at": {"N": str(now + self._keep_seconds)},
                },
                # DynamoDB deletes expired items within days, not at once.
                ConditionExpression=(
                    "attribute_not_exists(id) OR expires_at < :now"
                    " OR (fingerprint = :fingerprint AND progress = :claimed)"
                ),
                ExpressionAttributeValues={
                    ":fingerprint": {"S": delivery.fingerprint},
                    ":claimed": {"S": CLAIMED},
                    ":now": {"N": str(now)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            response: Any = error.response
            if response["Item"]["fingerprint"]["S"] != delivery.fingerprint:
                raise DeliveryIdUsedError(delivery.delivery_id) from error
            return False
        return True

    @tracer.capture_method(capture_response=False)
    def queued(self, delivery: Delivery) -> None:
        """Record that the delivery is in the queue: from now on it is a duplicate."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(delivery),
            UpdateExpression="SET progress = :queued",
            ExpressionAttributeValues={":queued": {"S": QUEUED}},
        )


def _key(delivery: Delivery) -> dict[str, Any]:
    return {"id": {"S": f"received#{delivery.delivery_id}"}}
