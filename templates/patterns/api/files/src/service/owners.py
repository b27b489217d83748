"""Whose items a request is about: who calls decides, and nothing that the caller sends."""

from typing import Any


# {% if cookiecutter.authentication == "IAM" %}
def _caller(context: dict[str, Any]) -> str:
    """The account and the role or user whose credentials signed the request.

    A role's sessions are one caller. Users of a Cognito identity pool share a role, so their own
    identity is taken instead.
    """
    identity = context["identity"]
    if identity.get("cognitoIdentityId"):
        return f"cognito/{identity['cognitoIdentityId']}"
    # docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: an ARN of a session is
    # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, of a user arn:aws:iam::ACCOUNT:user/PATH/USER.
    # Names of roles and users are unique in their account, without the path.
    account, principal = identity["userArn"].split(":", 5)[4:]
    match principal.split("/"):
        case ["assumed-role", role, *_]:
            return f"{account}/role/{role}"
        case ["user", *_, user]:
            return f"{account}/user/{user}"
    return f"{account}/{principal}"


# {% elif cookiecutter.authentication == "JWT" %}
def _caller(context: dict[str, Any]) -> str:
    """The user whose token was sent: `sub` stays the same, and is never given to another user."""
    user: str = context["authorizer"]["claims"]["sub"]
    return user


# {% else %}
def _caller(_: dict[str, Any]) -> str:
    """Nobody is asked who calls: all callers share all items."""
    return "everybody"


# {% endif %}
def owner_of(event: dict[str, Any]) -> str:
    """The owner's name. Where API Gateway does not say who calls, this fails: nobody falls back."""
    return _caller(event["requestContext"])
