"""Which subscribers get a message, computed from the filters in template.yaml."""

from typing import Any

import pytest

from service.domain.shipments import EventType
from tests.template.routing import ROUTES, of_type
from toolkit.filters import accepts
from toolkit.template import apis, resources

POLICIES = {
    name.removesuffix("Subscription"): subscription["Properties"]["FilterPolicy"]
    for name, subscription in resources("AWS::SNS::Subscription").items()
    if subscription["Properties"]["Protocol"] == "sqs"
}


def subscribers_of(attributes: dict[str, Any]) -> set[str]:
    return {name for name, policy in POLICIES.items() if accepts(policy, attributes)}


@pytest.mark.parametrize(
    ("attributes", "subscribers"), [pytest.param(*route, id=name) for name, route in ROUTES.items()]
)
def test_each_message_goes_to_the_subscribers_in_the_table(
    attributes: dict[str, Any], subscribers: set[str]
) -> None:
    assert subscribers_of(attributes) == subscribers


@pytest.mark.parametrize("event_type", EventType)
def test_each_type_that_the_api_takes_has_a_subscriber(event_type: EventType) -> None:
    subscribers = subscribers_of(of_type(event_type))

    assert subscribers
    assert "Unrouted" not in subscribers, f"no subscription wants {event_type}"


def test_unrouted_leaves_out_exactly_what_others_want() -> None:
    """A new type in a filter has to be in that of `Unrouted` as well."""
    rules = [rule for name in POLICIES.keys() - {"Unrouted"} for rule in POLICIES[name]["type"]]
    but, absent = POLICIES["Unrouted"]["type"]

    assert set(but["anything-but"]) == set(rules)
    assert absent == {"exists": False}


def test_each_subscriber_has_a_test_in_the_table() -> None:
    assert {name for _, subscribers in ROUTES.values() for name in subscribers} == POLICIES.keys()


def test_callers_sign_requests_with_their_own_credentials() -> None:
    [api] = apis().values()

    assert api["Auth"] == {"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}
