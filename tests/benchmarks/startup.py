"""How soon the command line answers, against a Python that does nothing and cookiecutter's own command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from projects import BIN

from .table import Compared, Row
from .twins import seconds

ROUNDS = 15


def measure(_: Path) -> Iterator[Row]:
    """A row per command and yardstick."""
    commands = {
        "`--version`": (BIN / "serverless-templates", "--version"),
        "`list`": (BIN / "serverless-templates", "list"),
    }
    yardsticks = {
        "`python -c pass`": (BIN / "python", "-c", "pass"),
        "`cookiecutter --version`": (BIN / "cookiecutter", "--version"),
    }
    everything = commands | yardsticks
    rounds = [{name: seconds(*command) for name, command in everything.items()} for _ in range(ROUNDS)]
    for name in commands:
        for yardstick in yardsticks:
            yield Compared(
                f"`serverless-templates` {name} against {yardstick}",
                here=[found[name] for found in rounds],
                bare=[found[yardstick] for found in rounds],
            )
