"""Clients give up before their function does, and tell what may succeed later."""

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client, is_transient


def refused(code: str, status: int = 400, *reasons: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "operation")


def test_a_client_never_waits_for_long() -> None:
    config = client("sqs").meta.config

    attempts = config.retries["total_max_attempts"]
    # Botocore waits at most 1, 2, 4, … seconds between attempts.
    waiting = sum(2**n for n in range(attempts - 1))
    assert (
        attempts * (config.connect_timeout + config.read_timeout) + waiting <= LONGEST_CALL_SECONDS
    )


@pytest.mark.parametrize(
    "error",
    [
        refused("ThrottlingException"),
        refused("ProvisionedThroughputExceededException"),
        refused("RequestThrottled"),
        refused("InternalServerError", 500),
        refused("ServiceUnavailable", 503),
        refused("TransactionCanceledException", 400, "None", "ThrottlingError"),
        refused("TransactionCanceledException", 400, "TransactionConflict"),
        refused("TransactionConflictException"),
        EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-1.amazonaws.com"),
        ReadTimeoutError(endpoint_url="https://dynamodb.eu-west-1.amazonaws.com"),
    ],
    ids=str,
)
def test_throttling_and_passing_faults_are_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDeniedException"),
        refused("ValidationException"),
        refused("ResourceNotFoundException"),
        refused("LimitExceededException"),
        refused("TransactionCanceledException", 400, "None", "ValidationError"),
        NoCredentialsError(),
        ValueError(),
    ],
    ids=str,
)
def test_what_stays_wrong_is_not(error: Exception) -> None:
    assert not is_transient(error)
