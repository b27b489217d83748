"""Exceptions in pyproject.toml are from rules that there are, for resources that there are."""

import ast

import pytest

from toolkit.exceptions import Rule, exceptions
from toolkit.stacks import PROJECT
from toolkit.template import template

RULES = {
    node.name
    for path in (PROJECT / "toolkit" / "checks").rglob("test_*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


@pytest.mark.parametrize("exception", exceptions(), ids=lambda exception: exception.rule)
def test_an_exception_is_from_a_rule_and_has_a_reason(exception: Rule) -> None:
    assert exception.rule in RULES, "there is no such rule in toolkit/checks"
    assert exception.resource in ["", *template()["Resources"]], (
        "template.yaml has no such resource"
    )
    assert exception.reason.strip(), "say why"
