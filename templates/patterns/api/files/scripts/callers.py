"""Calls the API on the local AWS as an authorized caller."""

from collections.abc import Callable
from typing import Any

from toolkit.local_aws.stack import Stack
from toolkit.signed_request import Answer, call

Call = Callable[..., Answer]


# {% if cookiecutter.authentication == "IAM" %}
def identity_in(stack: Stack) -> dict[str, Any]:
    """Who calls: an administrator, who signs with AWS credentials."""
    return {"session": stack.aws.session}


def curl_options(stack: Stack) -> str:
    """How curl signs a request."""
    return f"--aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test"


# {% elif cookiecutter.authentication == "JWT" %}
def identity_in(stack: Stack, user: str = "test-user") -> dict[str, Any]:
    """Who calls: a user of the pool, who has signed in."""
    return {"headers": {"Authorization": f"Bearer {signed_in(stack, user)}"}}


def curl_options(stack: Stack) -> str:
    """How curl sends what a user gets for signing in."""
    return f'--header "Authorization: Bearer {signed_in(stack)}"'


def signed_in(stack: Stack, user: str = "test-user") -> str:
    """The ID token of a user, who is created if missing."""
    cognito = stack.aws.client("cognito-idp")
    pool, phrase = stack.outputs["UserPoolId"], "A-Test-User-1234"
    if not cognito.list_users(UserPoolId=pool, Filter=f'username = "{user}"')["Users"]:
        cognito.admin_create_user(
            UserPoolId=pool, Username=user, TemporaryPassword=phrase, MessageAction="SUPPRESS"
        )
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=user, Password=phrase, Permanent=True
        )
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=stack.outputs["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user, "PASSWORD": phrase},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


# {% else %}
def identity_in(_: Stack) -> dict[str, Any]:
    """No credentials: callers are not authenticated."""
    return {}


def curl_options(_: Stack) -> str:
    """How curl says who calls: it need not."""
    return ""


# {% endif %}
def caller(stack: Stack, identity: dict[str, Any] | None = None) -> Call:
    """Calls paths of the API; Python's names of headers are as in `if_match='"1"'`."""
    base = stack.aws.api_url(stack.outputs["ApiId"])
    identity = identity or identity_in(stack)

    def send(method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(
            method,
            base + path,
            body,
            headers={**identity.get("headers", {}), **named},
            session=identity.get("session"),
            verify=stack.aws.ca,
        )

    return send
