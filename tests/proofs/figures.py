"""The figures of a proof, and where they stand in docs/proofs.md."""

from __future__ import annotations

from collections.abc import Mapping

from pages import put
from projects import ROOT

PAGE = ROOT / "docs/proofs.md"

Counts = Mapping[str, float]


def write(proof: str, text: str, options: str = "") -> None:
    """Put the figures of a run into the page, behind the line that is there for this proof."""
    put(f"Made by `make {proof}{options}`.\n\n{text}", PAGE, begins(proof))


def begins(proof: str) -> str:
    """The line of the page that a proof's figures stand behind."""
    return f"<!-- `make {proof}` writes from here -->"


def table(counted: Mapping[str, Counts]) -> str:
    """What tests have counted, by their node ids: a row for each test, a column for each thing."""
    columns = list(dict.fromkeys(name for counts in counted.values() for name in counts))
    lines = [["shown", *columns], ["---", *("---:" for _ in columns)]]
    lines += [[_sentence(test), *(_shown(counted[test].get(name)) for name in columns)] for test in sorted(counted)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sentence(test: str) -> str:
    """What a test shows, from its name, and of what."""
    name, _, of = test.rpartition("::")[2].partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words}: {of.removesuffix(']')}" if of else words


def _shown(count: float | None) -> str:
    return "" if count is None else f"{count:,.6g}"
