"""Stores notifications, one per event."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.domain.surveys import SurveyProcessed
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Notifications:
    """The table of notifications."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    @tracer.capture_method(capture_response=False)
    def add(self, event: SurveyProcessed, now: int) -> bool:
        """Store the notification of an event.

        Returns:
            False if there was one before; then nothing changes.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    "event_id": {"S": event.event_id},
                    "object_key": {"S": event.object_key},
                    "lines": {"N": str(event.lines)},
                    "total": {"N": str(event.total)},
                    "created_at": {"N": str(now)},
                },
                ConditionExpression="attribute_not_exists(event_id)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
