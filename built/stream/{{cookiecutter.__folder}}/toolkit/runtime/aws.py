"""Makes AWS clients that give up before their function does."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

# One session for all clients: making a second one costs as much as the first.
_session = boto3.session.Session()

# botocore's own default is to wait 60 seconds for an answer, longer than a function lives.
_config = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
_THROTTLED = frozenset(
    {
        # botocore.retries.standard.ThrottledRetryableChecker: what AWS's services answer when there
        # are too many requests. Its LimitExceededException is left out: a quota stays exceeded.
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # API reference of SQS and of Step Functions: their key in KMS is throttled.
        "KmsThrottled",
        "KmsThrottlingException",
        # API reference of StartExecution: too many executions run; each that ends makes room.
        "ExecutionLimitExceeded",
        # API reference of SNS's Publish.
        "Throttled",
        # API reference of TransactWriteItems: why a transaction was cancelled.
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        # Another transaction or write of the same item at that moment.
        "TransactionConflict",
        "TransactionConflictException",
    }
)
# botocore.retries.standard.TransientRetryableChecker: a fault that AWS expects to pass.
_TRANSIENT_STATUSES = (500, 502, 503, 504)
# Two attempts of three seconds, and at most one second of waiting in between.
LONGEST_CALL_SECONDS = 7


def client(service: str) -> Any:
    """A client for the life of the execution environment: call this at import, not per event."""
    # boto3's types know services by their literal names only.
    return _session.client(service, config=_config)  # type: ignore[call-overload]


def is_transient(error: Exception) -> bool:
    """Whether the same call may succeed later: AWS throttles it, is failing, or is not reached."""
    if not isinstance(error, ClientError):
        return isinstance(error, NoConnectionError | HTTPClientError)
    response: Any = error.response
    reasons = response.get("CancellationReasons", [])
    codes = {response["Error"]["Code"], *(reason.get("Code") for reason in reasons)}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return bool(codes & _THROTTLED) or status in _TRANSIENT_STATUSES
