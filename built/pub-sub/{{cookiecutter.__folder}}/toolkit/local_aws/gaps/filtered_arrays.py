"""Gap: in ministack `anything-but` matches a String.Array if one of its elements is something else.

Closed: as on AWS, if none of them is what the rule excludes.
docs.aws.amazon.com/sns/latest/dg/string-value-matching.html, "Anything-but matching"
"""

from typing import Any

from ministack.services import sns

_POLICY = '{"kind": [{"anything-but": ["a"]}]}'


def is_needed() -> bool:
    attribute = {"kind": {"DataType": "String.Array", "StringValue": '["a", "b"]'}}
    return bool(sns._matches_filter_policy({"attributes": {"FilterPolicy": _POLICY}}, attribute))


def close() -> None:
    matches = sns._key_matches

    def matches_all(rules: list[Any], present: bool, values: list[Any], nonempty: bool) -> bool:
        excluding = [rule for rule in rules if isinstance(rule, dict) and "anything-but" in rule]
        others = [rule for rule in rules if rule not in excluding]
        if present and any(
            all(sns._value_matches(value, rule) for value in values) for rule in excluding
        ):
            return True
        return bool(matches(others, present, values, nonempty))

    sns._key_matches = matches_all
