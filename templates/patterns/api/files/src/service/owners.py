"""Whose items a request is about: who calls decides, and nothing that the caller sends."""

from typing import Any

# {% if cookiecutter.authentication == "IAM" %}
from service.http import caller_of


def owner_of(event: dict[str, Any]) -> str:
    """The role or user whose credentials signed the request."""
    return caller_of(event)


# {% elif cookiecutter.authentication == "JWT" %}


def owner_of(event: dict[str, Any]) -> str:
    """The user whose token was sent: `sub` stays the same, and is never given to another user."""
    owner: str = event["requestContext"]["authorizer"]["claims"]["sub"]
    return owner


# {% else %}


def owner_of(_: dict[str, Any]) -> str:
    """Nobody is asked who calls: all callers share all items."""
    return "everybody"


# {% endif %}
