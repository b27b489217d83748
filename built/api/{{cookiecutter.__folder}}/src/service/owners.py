"""Whose items a request is about: who calls decides, and nothing that the caller sends."""

from typing import Any

{% if cookiecutter.authentication == "IAM" %}# The role or user whose credentials signed the request.
from service.http import caller_of as _caller


{% endif %}{% if cookiecutter.authentication == "JWT" %}def _caller(event: dict[str, Any]) -> str:
    """The user whose token was sent: `sub` stays the same, and is never given to another user."""
    user: str = event["requestContext"]["authorizer"]["claims"]["sub"]
    return user


{% elif cookiecutter.authentication == "none" %}def _caller(_: dict[str, Any]) -> str:
    """Nobody is asked who calls: all callers share all items."""
    return "everybody"


{% endif %}def owner_of(event: dict[str, Any]) -> str:
    """The owner's name. Where API Gateway does not say who calls, this fails: nobody falls back."""
    return _caller(event)
