"""Writes the page that leads from a problem to a pattern, and compares the patterns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .catalogue import Catalogue, Step

MADE = "<!-- Made by `make build` from templates/; do not edit. -->"


def choosing_page(catalogue: Catalogue, costs: Mapping[str, str]) -> str:
    """The page as Markdown. `costs` are those per million of each pattern that says so, in USD."""
    sections = [MADE, "# Choosing a pattern"]
    if catalogue.chooser:
        sections += [f"**{catalogue.chooser.question}**", *_answers(catalogue.chooser, catalogue)]
    patterns = catalogue.patterns.values()
    compared = [
        (
            link(each.name, catalogue),
            each.compare.guarantee,
            each.compare.order,
            each.compare.latency,
            costs.get(each.name, ""),
            each.compare.leave,
        )
        for each in patterns
        if each.compare
    ]
    if compared:
        heads = ("pattern", "guarantee", "order", "latency", "USD per million", "leave it when")
        sections += ["## Comparison", table(heads, compared)]
    sections += [
        "## What each is made of",
        table(
            ("pattern", "what it is", "services"),
            [(link(each.name, catalogue), each.summary, ", ".join(each.services)) for each in patterns],
        ),
        "## And when not",
        table(
            ("pattern", "not when", "take instead"),
            [
                (link(each.name, catalogue), other.problem, link(other.instead, catalogue))
                for each in patterns
                for other in each.not_for
            ],
        ),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _answers(step: Step, catalogue: Catalogue) -> Iterator[str]:
    """Each answer, to be opened: it works without JavaScript, and on GitHub."""
    for answer, leads_to in step.answers.items():
        yield f"<details><summary>{answer}</summary>"
        if isinstance(leads_to, Step):
            yield f"**{leads_to.question}**"
            yield from _answers(leads_to, catalogue)
        elif leads_to in catalogue.patterns:
            pattern = catalogue.patterns[leads_to]
            yield f"Take {link(leads_to, catalogue)}: {pattern.summary}"
        else:
            yield f"That will be {link(leads_to, catalogue)}: {catalogue.planned[leads_to]}."
        yield "</details>"


def link(name: str, catalogue: Catalogue) -> str:
    """A pattern's name, and the way to its page when there is one."""
    return f"[`{name}`]({name}.md)" if name in catalogue.patterns else f"`{name}` (planned)"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; nothing when it has no rows."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) if rows else ""
