"""Writes `docs/questions.md`: what each way in asks, and which answers it takes."""

from __future__ import annotations

from collections.abc import Iterable

from .catalogue import Catalogue, Question


def questions_page(catalogue: Catalogue) -> str:
    """The page, as Markdown."""
    sections = [
        "<!-- Made by `make build` from templates/; do not edit. -->",
        "# Questions",
        "Asked in this order by every way in. An answer that breaks its rule is refused before anything is written.",
        "## Every pattern",
        _table(catalogue.questions),
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
