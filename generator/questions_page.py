"""Writes `docs/questions.md`: what each way in asks, and which answers it takes."""

from __future__ import annotations

from collections.abc import Iterable

from .catalogue import Catalogue, Question

INTRODUCTION = """
Asked in this order by every way in, with the rule. An answer that breaks its rule is refused before anything is
written. `serverless-templates` and copier check each answer as you type it. cookiecutter checks only choices then: the
template names every wrong one, and prints the command that keeps the others and asks again.

`serverless-templates` takes a choice in any case (`iam` for `IAM`), and at its prompt by number as well. The engines
take it as it is written here.
"""
DEFAULTS = """
A pattern's own default goes before the one above. While a project has its default name, `serverless-templates new`
and copier take the folder's name as the default short name: two services in one repository are two stacks.
"""


def questions_page(catalogue: Catalogue) -> str:
    """The page, as Markdown."""
    sections = [
        "<!-- Made by `make build` from templates/; do not edit. -->",
        "# Questions",
        INTRODUCTION.strip(),
        "## Every pattern",
        _table(catalogue.questions),
    ]
    own = [(pattern, *default) for pattern in catalogue.patterns.values() for default in pattern.defaults.items()]
    if own:
        rows = [f"| `{pattern.name}` | `{name}` | `{_cell(default)}` |" for pattern, name, default in own]
        sections += [
            DEFAULTS.strip(),
            "\n".join(["| pattern | name | default |", "| --- | --- | --- |", *rows]),
        ]
    for pattern in catalogue.patterns.values():
        if pattern.questions:
            sections += [f"## Only `{pattern.name}`", _table(pattern.questions)]
    return "\n\n".join(sections) + "\n"


def _table(questions: Iterable[Question]) -> str:
    rows = ["| name | question | answer | default or example |", "| --- | --- | --- | --- |"]
    for question in questions:
        # A default that follows from other answers is Jinja; its result for the defaults before it is the example.
        shown = question.rule.example if "{" in question.default else question.default
        rows.append(
            f"| `{question.name}` | {_cell(question.help)} | {_cell(question.rule.reason)} | `{_cell(shown)}` |"
        )
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
