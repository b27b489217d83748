"""Who calls decides whose items a request is about."""

import json

# {% if cookiecutter.authentication != "none" %}
from typing import Any

import pytest

# {% endif %}
from scripts.stacks import PROJECT
from service.owners import owner_of


# {% if cookiecutter.authentication == "IAM" %}
def event(arn: str, **more: Any) -> dict[str, Any]:
    return {"requestContext": {"identity": {"userArn": arn, **more}}}


@pytest.mark.parametrize(
    ("arn", "owner"),
    [
        ("arn:aws:sts::123456789012:assumed-role/shop/session-1", "123456789012/role/shop"),
        ("arn:aws:sts::123456789012:assumed-role/shop/session-2", "123456789012/role/shop"),
        ("arn:aws:sts::123456789012:assumed-role/shop/i:s/x", "123456789012/role/shop"),
        ("arn:aws:sts::210987654321:assumed-role/shop/session-1", "210987654321/role/shop"),
        ("arn:aws:sts::123456789012:assumed-role/stock/session-1", "123456789012/role/stock"),
        ("arn:aws:iam::123456789012:user/shop", "123456789012/user/shop"),
        ("arn:aws:iam::123456789012:user/team/shop", "123456789012/user/shop"),
        ("arn:aws:sts::123456789012:federated-user/shop", "123456789012/federated-user/shop"),
        ("arn:aws:iam::123456789012:root", "123456789012/root"),
    ],
)
def test_the_owner_is_the_account_and_the_role_or_user(arn: str, owner: str) -> None:
    assert owner_of(event(arn)) == owner


def test_users_of_an_identity_pool_are_owners_of_their_own() -> None:
    """They share a role."""
    arn = "arn:aws:sts::123456789012:assumed-role/web/CognitoIdentityCredentials"
    first, other = (event(arn, cognitoIdentityId=f"eu-west-1:{n}") for n in (1, 2))

    assert owner_of(first) == "cognito/eu-west-1:1"
    assert owner_of(other) != owner_of(first)


@pytest.mark.parametrize("arn", [None, "", "shop"])
def test_without_an_identity_nobody_is_the_owner(arn: Any) -> None:
    with pytest.raises((AttributeError, ValueError)):
        owner_of(event(arn))


# {% elif cookiecutter.authentication == "JWT" %}
def test_the_owner_is_the_user_of_the_token() -> None:
    claims = {"sub": "00000000-0000-0000-0000-00000000000a", "cognito:username": "ada"}

    owner = owner_of({"requestContext": {"authorizer": {"claims": claims}}})

    assert owner == "00000000-0000-0000-0000-00000000000a"


@pytest.mark.parametrize("authorizer", [None, {}, {"claims": {}}])
def test_without_a_user_nobody_is_the_owner(authorizer: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        owner_of({"requestContext": {"authorizer": authorizer}})


# {% else %}
def test_all_callers_share_all_items() -> None:
    first, other = ({"identity": {"sourceIp": f"192.0.2.{n}"}} for n in (1, 2))

    assert owner_of({"requestContext": first}) == owner_of({"requestContext": other})


# {% endif %}
def test_each_sample_event_has_an_owner() -> None:
    events = [json.loads(path.read_text()) for path in (PROJECT / "events").iterdir()]

    assert len({owner_of(event) for event in events}) == 1
