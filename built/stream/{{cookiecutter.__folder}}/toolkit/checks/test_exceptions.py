"""Exceptions in pyproject.toml are from rules that there are, for resources that there are."""

import ast

from toolkit.exceptions import exceptions
from toolkit.stacks import PROJECT
from toolkit.template import template

RULES = {
    node.name
    for path in (PROJECT / "toolkit" / "checks").rglob("test_*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def test_exceptions_are_from_rules_and_have_reasons() -> None:
    for exception in exceptions():
        assert exception.rule in RULES, "there is no such rule in toolkit/checks"
        assert exception.resource in ["", *template()["Resources"]], (
            "template.yaml has no such resource"
        )
        assert exception.reason.strip(), "say why"
