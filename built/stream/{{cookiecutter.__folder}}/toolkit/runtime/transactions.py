"""Writes several items in one DynamoDB transaction, and retries when it conflicts with another."""

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# For this long a conflict is retried; a last call may follow. A conflict is over within
# milliseconds, so longer means more load on one item than it can take.
CONFLICT_SECONDS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.025, 0.4


def write_all(dynamodb: "DynamoDBClient", items: Sequence[Any]) -> None:
    """Write all items or none.

    DynamoDB cancels a transaction while another one is under way for the same item ("Transaction is
    ongoing for the item", the reason TransactionConflict). The SDK does not retry a cancelled
    transaction, since the reason may as well be a condition that is not met.

    Raises:
        ClientError: DynamoDB refused it, or the conflicts did not end.
    """
    give_up_at = time.monotonic() + CONFLICT_SECONDS
    longest = _FIRST_PAUSE
    while True:
        try:
            dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            pause = random.uniform(0, longest)  # noqa: S311 (no secret)
            if not _is_conflict(error) or time.monotonic() + pause > give_up_at:
                raise
            time.sleep(pause)
            longest = min(2 * longest, _LONGEST_PAUSE)
        else:
            return


def cancellation_reasons(error: Exception) -> list[dict[str, Any]]:
    """Why a transaction was cancelled: the reason of the first item comes first."""
    response = getattr(error, "response", {})
    reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])
    return reasons


def _is_conflict(error: ClientError) -> bool:
    """Whether nothing but conflicts stood in the way: a condition that failed decides."""
    codes = {reason.get("Code") for reason in cancellation_reasons(error)}
    return codes - {"None"} == {"TransactionConflict"}
