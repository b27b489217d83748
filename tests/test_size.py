"""What a team has to read of a new project: files and lines outside the toolkit and pins, kept within a budget."""

from pathlib import Path

import pytest
from helpers import CATALOGUE, PATTERNS, PINS, Bake


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
    allowed = CATALOGUE.patterns[pattern].size

    assert len(lines) <= allowed["files"]
    assert sum(lines.values()) <= allowed["lines"], sorted(lines.items(), key=lambda item: -item[1])[:20]
