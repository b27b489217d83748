"""One product through the deployed stack, and what only AWS itself can show."""

import json
import uuid
from typing import Any

import boto3
import pytest

from toolkit.signed_request import Answer, call

# How a request says who calls: arguments of `call`.
Identity = dict[str, Any]


{% if cookiecutter.authentication == "JWT" %}@pytest.fixture(scope="module")
def identity(outputs: dict[str, str], region: str) -> Any:
    """A user of the pool, who is there for the length of the tests."""
    cognito = boto3.client("cognito-idp", region_name=region)
    tokens = new_user(cognito, outputs["UserPoolId"], outputs["UserPoolClientId"])
    yield {"headers": {"Authorization": f"Bearer {tokens['IdToken']}"}}
    cognito.delete_user(AccessToken=tokens["AccessToken"])


def new_user(cognito: Any, pool: str, client: str) -> dict[str, str]:
    """The tokens of a new user, who can delete itself with its access token.

    It takes three rights: AdminCreateUser, AdminInitiateAuth and AdminRespondToAuthChallenge. With
    AdminSetUserPassword or AdminDeleteUser, whoever runs this could be any user, or delete them. A
    user who is left behind has a password that nobody knows.
    """
    user, first, second = (f"{start}-{uuid.uuid4()}" for start in ("smoke-test", "First", "Second"))
    cognito.admin_create_user(
        UserPoolId=pool, Username=user, TemporaryPassword=first, MessageAction="SUPPRESS"
    )
    asked = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user, "PASSWORD": first},
    )
    signed_in = cognito.admin_respond_to_auth_challenge(
        UserPoolId=pool,
        ClientId=client,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        ChallengeResponses={"USERNAME": user, "NEW_PASSWORD": second},
        Session=asked["Session"],
    )
    tokens: dict[str, str] = signed_in["AuthenticationResult"]
    return tokens


{% else %}@pytest.fixture(scope="module")
def identity(region: str) -> Identity:
    """The AWS credentials of whoever runs this."""
    return {"session": boto3.Session(region_name=region)}


{% endif %}def test_a_product_is_created_read_and_deleted(outputs: dict[str, str], identity: Identity) -> None:
    created = ask(outputs, identity, "POST", Idempotency_Key=str(uuid.uuid4()))

    assert created.status == 201, created.body
    path = f"/{created.json['id']}"
    assert ask(outputs, identity, "GET", path).body == created.body
    assert ask(outputs, identity, "DELETE", path, If_Match=created.headers["ETag"]).status == 204
    assert ask(outputs, identity, "GET", path).status == 404


{% if cookiecutter.authentication != "none" %}def test_request_without_a_caller_is_refused(outputs: dict[str, str]) -> None:
    answer = ask(outputs, {}, "GET")

    assert answer.status in (401, 403)
    assert answer.content_type == "application/problem+json"


{% endif %}def ask(
    outputs: dict[str, str], identity: Identity, method: str, path: str = "", **headers: str
) -> Answer:
    """Call the API as somebody, or as nobody."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(
        method,
        outputs["ProductsUrl"] + path,
        json.dumps({"name": "smoke-test", "quantity": 1}) if method == "POST" else None,
        **{**identity, "headers": {**identity.get("headers", {}), **named}},
    )
