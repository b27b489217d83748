"""Stores the newest status of each shipment."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.domain.shipments import ShipmentEvent
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Shipments:
    """The table of shipments."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    @tracer.capture_method(capture_response=False)
    def update(self, event: ShipmentEvent) -> bool:
        """Store a shipment's status, if no newer event is stored.

        Events arrive in any order and more than once: the condition makes both harmless, without a
        record. Of two events at the same moment the greater event_id wins, in whichever order.

        Returns:
            False if the event is not newer than the one that is stored; then nothing changes.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    "shipment_id": {"S": event.shipment_id},
                    "status": {"S": event.status},
                    "occurred_at": {"N": str(event.microseconds)},
                    "event_id": {"S": event.event_id},
                },
                ConditionExpression=(
                    "attribute_not_exists(shipment_id) OR occurred_at < :time"
                    " OR (occurred_at = :time AND event_id < :event)"
                ),
                ExpressionAttributeValues={
                    ":time": {"N": str(event.microseconds)},
                    ":event": {"S": event.event_id},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
