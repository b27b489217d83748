"""Decides as EventBridge does whether an event pattern matches an event.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. It knows the
operators for text, numbers and fields, and `$or`; any other is an error here.
"""

import operator
import re
from typing import Any

_COMPARE = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MISSING = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether an event has all that a pattern asks for; it may have more."""
    return all(
        any(matches(one, event) for one in rules)
        if name == "$or"
        else _matches_field(
            rules, event.get(name, _MISSING) if isinstance(event, dict) else _MISSING
        )
        for name, rules in pattern.items()
    )


def _matches_field(rules: Any, value: Any) -> bool:
    if isinstance(rules, dict):
        # Of an array of objects, one has to match.
        values = value if isinstance(value, list) else [value]
        return any(matches(rules, one) for one in values)
    # An array in the event matches if one of its elements does.
    values = value if isinstance(value, list) else [value]
    return any(_matches_value(rule, one) for rule in rules for one in values)


def _matches_value(rule: Any, value: Any) -> bool:
    match rule:
        case {"exists": bool(expected)}:
            # Of leaf fields only.
            return (value is not _MISSING and not isinstance(value, dict)) is expected
    if value is _MISSING:
        return False
    match rule:
        case {"anything-but": dict(inner)}:
            return isinstance(value, str) and not any(_is(inner, value))
        case {"anything-but": list(others)}:
            return not any(_equal(other, value) for other in others)
        case {"anything-but": other}:
            return not _equal(other, value)
        case {"numeric": list(conditions)}:
            pairs = zip(conditions[::2], conditions[1::2], strict=True)
            return _is_number(value) and all(_COMPARE[sign](value, limit) for sign, limit in pairs)
        case dict():
            return isinstance(value, str) and any(_is(rule, value))
    return _equal(rule, value)


def _is(rule: dict[str, Any], value: str) -> list[bool]:
    """For each text of an operator, whether a value is as it says."""
    [(name, texts)] = rule.items()
    found = []
    for text in texts if isinstance(texts, list) else [texts]:
        match name, text:
            case "prefix" | "suffix", {"equals-ignore-case": str(end)}:
                found.append(_ends(name, value.casefold(), end.casefold()))
            case "prefix" | "suffix", str(end):
                found.append(_ends(name, value, end))
            case "equals-ignore-case", str(other):
                found.append(value.casefold() == other.casefold())
            case "wildcard", str(form):
                parts = [re.escape(part) for part in form.split("*")]
                found.append(bool(re.fullmatch(".*".join(parts), value, re.DOTALL)))
            case _:
                raise ValueError(
                    f"unknown operator {rule}: add it here, as AWS's guide describes it"
                )
    return found


def _ends(side: str, value: str, end: str) -> bool:
    return value.startswith(end) if side == "prefix" else value.endswith(end)


def _equal(one: Any, other: Any) -> bool:
    """As JSON: true is not 1."""
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
