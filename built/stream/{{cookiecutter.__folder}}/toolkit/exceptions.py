"""Exceptions that this project makes from the rules in toolkit/checks, stated in pyproject.toml.

    [[tool.toolkit.exceptions]]
    rule = "test_timeouts_and_memory_are_set_and_short"
    resource = "ReportFunction"
    reason = "A report takes three minutes, and no caller waits for it."

`rule` is the name of a test. `resource` is a logical ID of template.yaml; without it the exception
is for all that the rule looks at. The rule has to fail there: an exception that is no longer needed
fails itself.
"""

import tomllib
from dataclasses import dataclass

import pytest

from toolkit.stacks import PROJECT


@dataclass(frozen=True)
class RuleException:
    """An exception from a rule."""

    rule: str
    reason: str
    resource: str = ""

    def is_for(self, item: pytest.Function) -> bool:
        """Whether a test is this rule, for this resource."""
        parameters = item.callspec.id.split("-") if hasattr(item, "callspec") else []
        return item.originalname == self.rule and self.resource in ["", *parameters]


def exceptions() -> list[RuleException]:
    """What pyproject.toml states.

    Raises:
        TypeError: an exception has no rule or no reason, or a key that is unknown.
    """
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return [RuleException(**each) for each in settings["tool"]["toolkit"].get("exceptions", [])]


def expect_to_fail(items: list[pytest.Item]) -> None:
    """Have each test fail for which there is an exception."""
    stated = exceptions()
    for item in items:
        if isinstance(item, pytest.Function) and "toolkit/checks" in item.path.as_posix():
            for each in stated:
                if each.is_for(item):
                    item.add_marker(pytest.mark.xfail(reason=each.reason, strict=True))
