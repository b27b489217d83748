"""Answers have one form, and errors are problem details."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from service.http import correlation_id, json_response, problem, unavailable


def test_an_answer_is_json() -> None:
    assert json_response(HTTPStatus.ACCEPTED, {"a": 1}) == {
        "statusCode": 202,
        "headers": {"Content-Type": "application/json"},
        "body": '{"a": 1}',
    }


def test_an_error_is_problem_details() -> None:
    response = problem(HTTPStatus.BAD_REQUEST, "Mend it.", ["this", "that"])

    assert response["statusCode"] == 400
    assert response["headers"] == {"Content-Type": "application/problem+json"}
    assert json.loads(response["body"]) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Mend it.",
        "errors": ["this", "that"],
    }


def test_who_is_to_try_again_hears_when() -> None:
    response = unavailable(5)

    assert response["statusCode"] == 503
    assert response["headers"] == {
        "Content-Type": "application/problem+json",
        "Retry-After": "5",
    }
    assert json.loads(response["body"])["status"] == 503


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"X-Correlation-Id": "abc"}, "abc", id="given"),
        pytest.param({"x-correlation-id": "abc"}, "abc", id="in lower case"),
        pytest.param({"x-correlation-id": "a b"}, "request", id="not an id"),
        pytest.param({}, "request", id="not given"),
        pytest.param(None, "request", id="no headers at all"),
    ],
)
def test_the_correlation_id(headers: Any, expected: str) -> None:
    event = {"headers": headers, "requestContext": {"requestId": "request"}}

    assert correlation_id(event) == expected
