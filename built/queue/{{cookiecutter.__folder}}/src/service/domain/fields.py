"""Reads JSON objects from requests, and names everything that is wrong with one."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# The most unknown fields that are named: the answer stays short for any request.
_UNKNOWN_NAMED = 10


class InvalidFieldsError(Exception):
    """The text is invalid; `problems` says what to fix, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field must be: a test of its value, and its description."""

    holds: Callable[[Any], bool]
    must_be: str


def text(pattern: str, must_be: str) -> Rule:
    """A text that a regular expression matches as a whole."""
    matches = re.compile(pattern).fullmatch
    return Rule(lambda value: isinstance(value, str) and bool(matches(value)), must_be)


def whole_number(smallest: int, largest: int) -> Rule:
    """A whole number within these bounds, themselves included."""
    return Rule(
        # True is an int in Python, but no number.
        lambda value: type(value) is int and smallest <= value <= largest,
        f"a whole number from {smallest} to {largest}",
    )


def read_fields(body: str | None, **rules: Rule) -> dict[str, Any]:
    """The fields of a JSON object: all that have a rule, and no others.

    Raises:
        InvalidFieldsError: with everything that is wrong, not only the first thing.
    """
    try:
        fields = json.loads(body or "", parse_float=_number)
    except (ValueError, RecursionError):
        raise InvalidFieldsError(["the body must be JSON"]) from None
    if not isinstance(fields, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    broken = [name for name, rule in rules.items() if not rule.holds(fields.get(name))]
    unknown = sorted(fields.keys() - rules.keys())[:_UNKNOWN_NAMED]
    if broken or unknown:
        raise InvalidFieldsError(
            [f"{name} must be {rules[name].must_be}" for name in broken]
            + [f"{name!r:.40} is not known here" for name in unknown]
        )
    return fields


def _number(text: str) -> float:
    """A number with a point or an exponent. To JSON, 2.0 is a whole number."""
    number = float(text)
    return int(number) if number.is_integer() else number
