"""Refuses an answer that breaks its rule, before cookiecutter writes any file of the project."""

import json
import re
import sys

# `make build` puts the rules here, and cookiecutter the answers: JSON in raw strings, so they are data and never code.
RULES: list[dict[str, str]] = json.loads(r"""<<rules>>""")
ANSWERS: dict[str, object] = json.loads(r"""{{ cookiecutter|tojson }}""")
# The answers as they were given: above, cookiecutter has evaluated them as a template. Not every tool
# that is built on cookiecutter passes them on.
GIVEN: dict[str, object] = json.loads(r"""{{ _cookiecutter|default({})|tojson }}""")

SHOWN = 60


def answer(rule: dict[str, str]) -> object:
    """The answer to judge: the one to be used, or the one given where cookiecutter has made another of it."""
    given = GIVEN.get(rule["name"])
    if isinstance(given, str) and given != rule["default"] and re.search(r"{[%#{]|\r", given):
        return given
    return ANSWERS[rule["name"]]


def refusal(rule: dict[str, str], value: object) -> str:
    """Why `value` is refused, in the words that every way in uses; empty when it is not."""
    if isinstance(value, str) and re.fullmatch(rule["matches"], value):
        return ""
    shown = value if not isinstance(value, str) or len(value) <= SHOWN else value[: SHOWN - 3] + "..."
    return f"{rule['name']}: {shown!r} is refused. It must be {rule['reason']}. Example: {rule['example']}"


for rule in RULES:
    if reason := refusal(rule, answer(rule)):
        sys.exit(f"{reason}\nNothing was written.")
