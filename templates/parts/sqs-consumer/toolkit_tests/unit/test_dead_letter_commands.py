"""What make runs for dead letters."""

import re
from pathlib import Path

import pytest

from toolkit.checks.test_commands import make


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        (["dead-letters"], "list --env dev"),
        (["redrive", "ENV=prod"], "redrive --env prod"),
        (["redrive", "RATE=5"], 'redrive --env dev --rate "$RATE"'),
        (["redrive", "CANCEL=1"], "cancel --env dev"),
        (["discard", "MESSAGE=id"], 'discard --env dev --message "$MESSAGE"'),
    ],
)
def test_each_command_runs_what_it_says(arguments: list[str], run: str, tmp_path: Path) -> None:
    shown = make("--dry-run", *arguments, f"VENV={tmp_path}/new")

    [found] = re.findall(r"toolkit dead-letters (.*)", shown.stdout)
    assert found.strip() == run
