"""Who calls decides whose products a request is about."""

import json
from typing import Any

import pytest

from service.api import owner_of
from toolkit.stacks import PROJECT


# {% if cookiecutter.authentication == "IAM" %}
def signed_by(arn: Any) -> dict[str, Any]:
    return {"requestContext": {"identity": {"userArn": arn}}}


def test_the_owner_is_the_role_or_user_that_signed() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/shop"

    assert owner_of(signed_by(f"{role}/session-1")) == owner_of(signed_by(f"{role}/session-2"))
    assert owner_of(signed_by(f"{role}-2/session-1")) != owner_of(signed_by(f"{role}/session-1"))


def test_request_without_a_signature_has_no_owner() -> None:
    with pytest.raises(TypeError):
        owner_of(signed_by(None))


# {% elif cookiecutter.authentication == "JWT" %}
def test_the_owner_is_the_user_of_the_token() -> None:
    claims = {"sub": "00000000-0000-0000-0000-00000000000a", "cognito:username": "ada"}

    owner = owner_of({"requestContext": {"authorizer": {"claims": claims}}})

    assert owner == "00000000-0000-0000-0000-00000000000a"


@pytest.mark.parametrize("authorizer", [None, {}, {"claims": {}}])
def test_request_without_a_user_has_no_owner(authorizer: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        owner_of({"requestContext": {"authorizer": authorizer}})


# {% else %}
@pytest.mark.parametrize("identity", [{"sourceIp": "192.0.2.1"}, {"sourceIp": "192.0.2.2"}])
def test_all_callers_share_all_products(identity: dict[str, Any]) -> None:
    assert owner_of({"requestContext": {"identity": identity}}) == "everybody"


# {% endif %}
def test_each_sample_request_has_an_owner() -> None:
    events = [json.loads(path.read_text("utf-8")) for path in (PROJECT / "events").iterdir()]

    assert len({owner_of(event) for event in events if "requestContext" in event}) == 1
