"""Only what may be over in a moment is retried, or answered with 503."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError
from botocore.retries import standard

from service.adapters.transient import may_pass

# Types of botocore leave these out.
THROTTLED: Any = standard.ThrottledRetryableChecker
TRANSIENT: Any = standard.TransientRetryableChecker


def refused(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


@pytest.mark.parametrize(
    "code",
    sorted({*THROTTLED._THROTTLED_ERROR_CODES, *TRANSIENT._TRANSIENT_ERROR_CODES}),
)
def test_what_the_sdk_retries_may_pass(code: str) -> None:
    assert may_pass(refused(code))


@pytest.mark.parametrize("status", TRANSIENT._TRANSIENT_STATUS_CODES)
def test_an_error_of_the_service_itself_may_pass(status: int) -> None:
    assert may_pass(refused("InternalFailure", status))


def test_no_connection_may_pass() -> None:
    assert may_pass(ConnectTimeoutError(endpoint_url="x"))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "InvalidArn"])
def test_an_error_of_ours_does_not(code: str) -> None:
    assert not may_pass(refused(code))


def test_neither_does_a_bug() -> None:
    assert not may_pass(KeyError())
    assert not may_pass(ParamValidationError(report=""))
