"""Tells an AWS error that may be over in a moment from one that will not."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

# What a call to AWS may end with: an error as answer, or no answer.
FAILURES = (ClientError, HTTPClientError, NoConnectionError)
# Throttling and transient errors as botocore's retries know them, the reasons why DynamoDB cancels
# a transaction, and what SNS, SQS, KMS and Step Functions answer when a quota is used up.
_TRANSIENT = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "ExecutionLimitExceeded",
        "InternalError",
        "InternalServerError",
        "KmsThrottlingException",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR = 500


def may_pass(error: Exception) -> bool:
    """Whether a call to AWS failed for want of a connection, capacity or luck."""
    if not isinstance(error, ClientError):
        return isinstance(error, FAILURES)
    response = error.response
    reasons: list[dict[str, str]] = response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = {response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(_TRANSIENT & codes) or status >= _SERVER_ERROR
