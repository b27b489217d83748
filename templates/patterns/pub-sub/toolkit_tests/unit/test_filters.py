"""Filter policies are evaluated as in AWS's guide to SNS, with the guide's own examples.

docs.aws.amazon.com/sns/latest/dg: "Example filter policies", "String value matching", "Numeric
value matching", "Key matching", "AND/OR logic".
"""

from typing import Any

import pytest

from toolkit.filters import accepts, combinations


def string(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def array(value: str) -> dict[str, str]:
    return {"DataType": "String.Array", "StringValue": value}


def number(value: str) -> dict[str, str]:
    return {"DataType": "Number", "StringValue": value}


# The message of the page "Example filter policies".
MESSAGE: Any = {
    "customer_interests": array('["soccer", "rugby", "hockey"]'),
    "store": string("example_corp"),
    "event": string("order_placed"),
    "price_usd": number("210.75"),
}


@pytest.mark.parametrize(
    ("policy", "accepted"),
    [
        ({"store": ["example_corp"]}, True),
        (
            {
                "store": ["example_corp"],
                "event": [{"anything-but": "order_cancelled"}],
                "customer_interests": ["rugby", "football", "baseball"],
                "price_usd": [{"numeric": [">=", 100]}],
            },
            True,
        ),
        (
            {"store": ["example_corp"], "event": ["order_cancelled"], "encrypted": [False]},
            False,
        ),
        ({}, True),
    ],
)
def test_example_policies_on_the_example_message(policy: Any, accepted: bool) -> None:
    assert accepts(policy, MESSAGE) is accepted


INTERESTS = ["rugby", "tennis"]


VALUES: list[tuple[Any, Any, bool]] = [
    # Exact matching
    (INTERESTS, string("rugby"), True),
    (INTERESTS, array('["rugby", "tennis"]'), True),
    (INTERESTS, string("baseball"), False),
    (INTERESTS, array('["baseball"]'), False),
    (INTERESTS, string("Rugby"), False),
    # Anything-but matching
    ([{"anything-but": INTERESTS}], string("baseball"), True),
    ([{"anything-but": INTERESTS}], string("football"), True),
    ([{"anything-but": INTERESTS}], array('["rugby", "baseball"]'), False),
    ([{"anything-but": INTERESTS}], array('["baseball"]'), True),
    ([{"anything-but": INTERESTS}], string("rugby"), False),
    ([{"anything-but": {"prefix": "order-"}}], string("data-entry"), True),
    ([{"anything-but": {"prefix": "order-"}}], string("order-number"), False),
    ([{"anything-but": {"suffix": "ball"}}], string("rugby"), True),
    ([{"anything-but": {"suffix": "ball"}}], string("baseball"), False),
    ([{"anything-but": [100, 500]}], number("101"), True),
    ([{"anything-but": [100, 500]}], number("100"), False),
    # Equals-ignore-case, prefix and suffix matching
    ([{"equals-ignore-case": "tennis"}], string("TENNIS"), True),
    ([{"equals-ignore-case": "tennis"}], string("rugby"), False),
    ([{"prefix": "bas"}], string("baseball"), True),
    ([{"prefix": "bas"}], string("rugby"), False),
    ([{"suffix": "ball"}], string("baseball"), True),
    ([{"suffix": "ball"}], string("rugby"), False),
    # Numeric value matching
    ([{"numeric": ["=", 301.5]}], number("301.5"), True),
    ([{"numeric": ["=", 301.5]}], number("3.015e2"), True),
    ([{"numeric": ["<", 0]}], number("-1"), True),
    ([{"numeric": [">", 0, "<=", 150]}], number("150"), True),
    ([{"numeric": [">", 0, "<=", 150]}], number("151"), False),
    ([{"numeric": [">", 0]}], string("1"), False),
    # Text in a list, and what is not compared at all
    ([True], array("[true]"), True),
    ([1], array("[true]"), False),
    ([None], array("[null]"), True),
    (["a"], {"DataType": "Binary", "BinaryValue": b"a"}, False),
]


@pytest.mark.parametrize(("rules", "attribute", "accepted"), VALUES)
def test_values_match_as_in_the_guide(rules: Any, attribute: Any, accepted: bool) -> None:
    assert accepts({"key": rules}, {"key": attribute}) is accepted


KEYS: list[tuple[bool, Any, bool]] = [
    (True, {"store": string("fans"), "other": string("a")}, True),
    (True, {"other": string("a")}, False),
    (True, {"store": string("")}, False),
    (False, {"other": string("a")}, True),
    (False, {"store": string("fans")}, False),
    # "An empty set of attributes causes the filter not to match."
    (False, {}, False),
]


@pytest.mark.parametrize(("expected", "message", "accepted"), KEYS)
def test_keys_match_as_in_the_guide(expected: bool, message: Any, accepted: bool) -> None:
    assert accepts({"store": [{"exists": expected}]}, message) is accepted


def test_missing_attribute_is_not_anything_but() -> None:
    assert not accepts({"store": [{"anything-but": ["fans"]}]}, {"other": string("a")})


def test_or_needs_one_of_its_members_and_the_other_keys() -> None:
    """From "OR operator"."""
    policy = {
        "source": ["aws.cloudwatch"],
        "$or": [{"metricName": ["CPUUtilization"]}, {"namespace": ["AWS/EC2"]}],
    }
    source = {"source": string("aws.cloudwatch")}

    assert accepts(policy, source | {"metricName": string("CPUUtilization")})
    assert accepts(policy, source | {"namespace": string("AWS/EC2")})
    assert not accepts(policy, source | {"namespace": string("AWS/SQS")})
    assert not accepts(policy, {"namespace": string("AWS/EC2")})


def test_unknown_operator_is_an_error() -> None:
    with pytest.raises(ValueError, match="cidr"):
        accepts({"ip": [{"cidr": "10.0.0.0/24"}]}, {"ip": string("10.0.0.1")})


def test_combinations_are_counted_as_in_the_guide() -> None:
    """From "Filter policy constraints": the values of each key, multiplied."""
    assert combinations({"a": ["1", "2"], "b": ["1", "2", "3"], "c": ["1"]}) == 6
