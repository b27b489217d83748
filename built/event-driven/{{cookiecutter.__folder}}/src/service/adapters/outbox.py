"""Reads events from the outbox's stream, and deletes those that are published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class NotDeletedError(Exception):
    """DynamoDB did not delete all; what is left is published again."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event that is not published yet."""

    event_id: str
    detail_type: str
    detail: str
    sequence_number: str


def event_in(record: dict[str, Any]) -> OutboxEvent:
    """The event in a record of the stream."""
    change = record["dynamodb"]
    item = {name: value.get("S", "") for name, value in change["NewImage"].items()}
    return OutboxEvent(
        item.get("event_id", ""),
        item.get("detail_type", ""),
        item.get("detail", ""),
        change["SequenceNumber"],
    )


class Outbox:
    """The table of events that are not published yet."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    @tracer.capture_method(capture_response=False)
    def remove(self, events: Sequence[OutboxEvent]) -> None:
        """Delete events that the bus has taken; at most 25.

        Raises:
            NotDeletedError: some are still there.
        """
        # An event that was written again in between is in one batch twice, which DynamoDB refuses.
        ids = dict.fromkeys(event.event_id for event in events)
        answer = self._dynamodb.batch_write_item(
            RequestItems={
                self._table: [
                    {"DeleteRequest": {"Key": {"event_id": {"S": event_id}}}} for event_id in ids
                ]
            }
        )
        if answer.get("UnprocessedItems"):
            raise NotDeletedError("DynamoDB did not delete all published events from the outbox")
