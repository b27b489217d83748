"""From nothing to green tests: `make test` in a new project, its environments to be made first, and made already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from projects import BIN, CommandError, patterns, run

from .table import Counted, NotMeasured, Row
from .twins import seconds


def measure(folder: Path) -> Iterator[Row]:
    """Two rows per pattern."""
    for pattern in patterns():
        project = folder / f"{pattern}-first"
        try:
            run(BIN / "serverless-templates", "new", pattern, project, "--defaults")
            for environments in ("to be made", "made already"):
                took = seconds("make", f"--directory={project}", "test")
                yield Counted(f"`make test`, environments {environments}", "", pattern, value=took, unit="s")
        except CommandError as error:
            yield NotMeasured("`make test`", "", pattern, reason=str(error))


def not_measured() -> Iterator[Row]:
    """What stands in the table when there was no time for it."""
    yield NotMeasured("`make test` in a new project", reason="it takes minutes; `make benchmark FULL=1` does it")
