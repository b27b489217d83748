"""Answers of an HTTP API: JSON, and problem details (RFC 9457) for errors."""

import json
from http import HTTPStatus
from typing import Any

from toolkit.runtime.observability import correlation_id_or

Response = dict[str, Any]


def json_response(status: HTTPStatus, body: dict[str, Any]) -> Response:
    """An API Gateway proxy response with a JSON body."""
    return _response(status, body, "application/json")


def problem(status: HTTPStatus, detail: str, errors: list[str] | None = None) -> Response:
    """An error that tells the caller what to fix, and nothing about the implementation."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return _response(status, body, "application/problem+json")


def unavailable(retry_after_seconds: int) -> Response:
    """An answer for callers who can send the same request again: a dependency is throttled."""
    response = problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The request cannot be carried out at the moment: send it again later.",
    )
    response["headers"]["Retry-After"] = str(retry_after_seconds)  # RFC 9110, 10.2.3.
    return response


def caller_of(event: dict[str, Any]) -> str:
    """Who signed a request: an IAM user, a role, or a Cognito identity.

    A role is one caller for all its sessions: the ARN of a session is
    `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    """
    identity = event["requestContext"]["identity"]
    if cognito := identity.get("cognitoIdentityId"):
        return str(cognito)
    arn: str = identity["userArn"]
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn


def correlation_id(event: dict[str, Any]) -> str:
    """The caller's x-correlation-id, or the request's own id. Header names ignore case."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return correlation_id_or(event["requestContext"]["requestId"], headers.get("x-correlation-id"))


def _response(status: HTTPStatus, body: dict[str, Any], content_type: str) -> Response:
    return {
        "statusCode": status.value,
        "headers": {"Content-Type": content_type},
        "body": json.dumps(body),
    }
