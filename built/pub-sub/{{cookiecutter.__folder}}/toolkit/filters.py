"""Decides as SNS does whether a subscription's filter policy accepts a message, by its attributes.

AWS's guide to SNS, "Message filtering", and the pages below it:
docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html. The operators are those for text,
numbers, keys and `$or`; any other is an error here.
"""

import json
import operator
from collections.abc import Mapping
from typing import Any

# A message's attributes, as Publish takes them.
Attributes = Mapping[str, Mapping[str, Any]]
_COMPARE = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def accepts(policy: Mapping[str, Any], attributes: Attributes) -> bool:
    """Whether a message gets past a filter policy: each of its keys has to match."""
    return all(
        any(accepts(one, attributes) for one in rules)
        if key == "$or"
        else _matches(rules, attributes.get(key), attributes)
        for key, rules in policy.items()
    )


def combinations(policy: Mapping[str, Any]) -> int:
    """How complex a policy is: the number of values of each key, multiplied."""
    product = 1
    for rules in policy.values():
        product *= len(rules)
    return product


def _matches(rules: list[Any], attribute: Mapping[str, Any] | None, message: Attributes) -> bool:
    """Whether one of a key's rules matches."""
    for rule in rules:
        match rule:
            case {"exists": bool(expected)}:
                # A message without any attribute matches neither: see "Key matching" there.
                found = attribute is not None and bool(_values(attribute))
                if message and found is expected:
                    return True
            case _ if attribute is not None and _matches_values(rule, _values(attribute)):
                return True
    return False


def _values(attribute: Mapping[str, Any]) -> list[Any]:
    """What a filter compares: SNS leaves attributes of the type Binary out."""
    kind, text = attribute["DataType"], attribute.get("StringValue", "")
    if kind == "String.Array":
        found = json.loads(text)
        return found if isinstance(found, list) else [found]
    if kind.partition(".")[0] == "Number":
        return [float(text)]
    return [text] if kind.partition(".")[0] == "String" and text else []


def _matches_values(rule: Any, values: list[Any]) -> bool:
    if isinstance(rule, dict) and "anything-but" in rule:
        # Each element of a String.Array has to be something else.
        without = rule["anything-but"]
        rules = without if isinstance(without, list) else [without]
        return bool(values) and not any(_equal(one, value) for one in rules for value in values)
    return any(_equal(rule, value) for value in values)


def _equal(rule: Any, value: Any) -> bool:
    match rule:
        case {"prefix": str(text)}:
            return isinstance(value, str) and value.startswith(text)
        case {"suffix": str(text)}:
            return isinstance(value, str) and value.endswith(text)
        case {"equals-ignore-case": str(text)}:
            return isinstance(value, str) and value.casefold() == text.casefold()
        case {"numeric": [*conditions]}:
            pairs = zip(conditions[::2], conditions[1::2], strict=True)
            return _is_number(value) and all(_COMPARE[sign](value, limit) for sign, limit in pairs)
        case dict():
            raise ValueError(f"unknown operator {rule}: add it here, as AWS's guide describes it")
    return bool(value == rule) and isinstance(value, bool) is isinstance(rule, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
