"""Answers have one form, and errors are problem details."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from toolkit.runtime.http import caller_of, correlation_id, json_response, problem, unavailable


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


# docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        (
            "arn:aws:sts::123456789012:assumed-role/shop/session-1",
            "arn:aws:sts::123456789012:assumed-role/shop",
        ),
        (
            "arn:aws-cn:sts::123456789012:assumed-role/shop/session-1",
            "arn:aws-cn:sts::123456789012:assumed-role/shop",
        ),
        ("arn:aws:iam::123456789012:user/team/ann", "arn:aws:iam::123456789012:user/team/ann"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        (
            "arn:aws:sts::123456789012:federated-user/ann",
            "arn:aws:sts::123456789012:federated-user/ann",
        ),
    ],
)
def test_a_caller_is_a_user_or_a_role_whatever_its_session(arn: str, caller: str) -> None:
    assert caller_of({"requestContext": {"identity": {"userArn": arn}}}) == caller


def test_users_of_an_identity_pool_share_a_role_and_are_callers_of_their_own() -> None:
    identity = {
        "cognitoIdentityId": "eu-west-1:id",
        "userArn": "arn:aws:sts::123456789012:assumed-role/users/CognitoIdentityCredentials",
    }

    assert caller_of({"requestContext": {"identity": identity}}) == "eu-west-1:id"
