"""What a team has to read of a new project: files and lines outside the toolkit and pins, kept within a budget."""

from pathlib import Path

import pytest
from helpers import PATTERNS, PINS, Bake

# Files, and lines. Lower them whenever a project gets smaller.
BUDGETS = {"api": (70, 5_080), "queue": (56, 4_000), "saga": (77, 6_330)}


def read_by_a_team(project: Path) -> dict[str, int]:
    """The lines of each file that a team reads."""
    paths = {path.relative_to(project).as_posix(): path for path in project.rglob("*") if path.is_file()}
    return {
        name: len(path.read_text("utf-8").splitlines())
        for name, path in paths.items()
        if not name.startswith(("toolkit/", *PINS))
    }


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_project_stays_small(bake: Bake, pattern: str) -> None:
    lines = read_by_a_team(bake(pattern))
    files_allowed, lines_allowed = BUDGETS[pattern]

    assert len(lines) <= files_allowed
    assert sum(lines.values()) <= lines_allowed, sorted(lines.items(), key=lambda item: -item[1])[:20]
