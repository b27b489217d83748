"""Tells what may work in a moment from what never will."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

# What a call to AWS may end with: an error as answer, or no answer.
FAILURES = (ClientError, HTTPClientError, NoConnectionError)
_PASSES = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttled",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)


class TryAgainError(Exception):
    """It may work in a moment. The workflow knows this error by its name, and tries again."""


def may_pass(error: Exception) -> bool:
    """Whether a call to AWS failed for want of a connection, capacity or luck."""
    if isinstance(error, ClientError):
        reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
        codes = {error.response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}
        return bool(_PASSES & codes)
    return isinstance(error, FAILURES)
