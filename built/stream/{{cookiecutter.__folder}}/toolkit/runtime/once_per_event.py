"""Writes what events lead to in DynamoDB once per event, in whatever mix they come."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from toolkit.runtime.idempotency import SECONDS_PER_DAY, fingerprint_of
from toolkit.runtime.transactions import cancellation_reasons, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MOST_WRITES = 100


@dataclass(frozen=True)
class Written:
    """What became of events, by their places in the sequence that was to be written."""

    new: list[int] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


class OncePerEvent:
    """Writes an effect and a record of each event that it holds in one transaction.

    Each transaction has the records of exactly the events whose effect it has. So whatever part of
    a batch is delivered again, an event either has both or neither.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._keep_seconds = keep_days * SECONDS_PER_DAY

    def write(
        self,
        events: Sequence[tuple[str, str]],
        effect: Callable[[Collection[int]], Sequence[Any]],
        now: int,
    ) -> Written:
        """Apply the effect of those events that were not written before.

        Args:
            events: an id and the content of each; the same id with other content is refused.
            effect: the writes for some of them, by their places; at most one for each of them.
            now: seconds since the epoch.

        Raises:
            ClientError: DynamoDB could not do it now; nothing was written.
        """
        written = Written()
        prints = [fingerprint_of(content) for _, content in events]
        first: dict[str, int] = {}
        for number, (event_id, _) in enumerate(events):
            earlier = first.setdefault(event_id, number)
            if earlier != number:
                _sort(written, number, event_id, prints[earlier] == prints[number])
        left = list(first.values())
        while left:
            records = [self._record(events[number][0], prints[number], now) for number in left]
            try:
                write_all(self._dynamodb, [*records, *effect(left)])
            except ClientError as error:
                found = _found_before(error, len(left))
                if not found:
                    raise
                for place, earlier_print in found.items():
                    number = left[place]
                    _sort(written, number, events[number][0], earlier_print == prints[number])
                left = [number for place, number in enumerate(left) if place not in found]
            else:
                written.new.extend(left)
                break
        return written

    def _record(self, event_id: str, fingerprint: str, now: int) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "id": {"S": event_id},
                    "fingerprint": {"S": fingerprint},
                    "expires_at": {"N": str(now + self._keep_seconds)},
                },
                # DynamoDB deletes expired items within days, not at once.
                "ConditionExpression": "attribute_not_exists(id) OR expires_at < :now",
                "ExpressionAttributeValues": {":now": {"N": str(now)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }


def _sort(written: Written, number: int, event_id: str, is_same: bool) -> None:
    if is_same:
        written.duplicates.append(number)
    else:
        written.refused[number] = f"{event_id} was used before with other content"


def _found_before(error: ClientError, records: int) -> dict[int, str]:
    """Fingerprints of the records that stood in the way, by their places in the transaction."""
    return {
        place: reason["Item"]["fingerprint"]["S"]
        for place, reason in enumerate(cancellation_reasons(error)[:records])
        if reason.get("Code") == "ConditionalCheckFailed"
    }
