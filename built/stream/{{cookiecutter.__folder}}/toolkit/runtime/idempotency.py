"""Makes a DynamoDB write happen once per key, however often and by how many it is tried."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from toolkit.runtime.transactions import cancellation_reasons, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SECONDS_PER_DAY = 86_400


class KeyReusedError(Exception):
    """The key was used before, for something else."""


class IdempotentWriter:
    """Writes an effect and the record that it happened in one transaction.

    A record written before the effect would lose the effect when the function dies between the
    two, one written after it would repeat it. In one transaction there is no between.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._keep_seconds = keep_days * SECONDS_PER_DAY

    def write_once(
        self, key: str, content: str, effect: Sequence["TransactWriteItemTypeDef"], now: int
    ) -> bool:
        """Apply `effect` unless `key` was used before.

        Args:
            key: makes two requests the same one, for example a caller's id for it.
            content: what was asked for; the same key with other content is refused.
            effect: at most 99 writes (a DynamoDB transaction holds 100).
            now: seconds since the epoch.

        Returns:
            True when the effect was applied now, False when it had been before.

        Raises:
            KeyReusedError: the key was used for different content.
            ClientError: DynamoDB could not do it now; nothing was written.
        """
        fingerprint = fingerprint_of(content)
        record: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "id": {"S": key},
                    "fingerprint": {"S": fingerprint},
                    "expires_at": {"N": str(now + self._keep_seconds)},
                },
                # DynamoDB deletes expired items within days, not at once.
                "ConditionExpression": "attribute_not_exists(id) OR expires_at < :now",
                "ExpressionAttributeValues": {":now": {"N": str(now)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        try:
            write_all(self._dynamodb, [record, *effect])
        except ClientError as error:
            earlier = _earlier_record(error)
            if earlier is None:
                raise
            if earlier["fingerprint"]["S"] != fingerprint:
                raise KeyReusedError(f"{key} was used before with other content") from error
            return False
        return True


def fingerprint_of(content: str) -> str:
    """Tells the same content from other content, without keeping it."""
    return hashlib.sha256(content.encode()).hexdigest()


def _earlier_record(error: ClientError) -> Mapping[str, Any] | None:
    """The record that stood in the way, if that is why the transaction was cancelled."""
    reasons = cancellation_reasons(error)
    if reasons and reasons[0].get("Code") == "ConditionalCheckFailed":
        item: Mapping[str, Any] = reasons[0]["Item"]
        return item
    return None
