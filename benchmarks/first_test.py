"""From nothing to green tests: `make test` in a new project, its environments to be made first, and made already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .projects import BIN, CommandError, patterns, run, seconds
from .table import Counted, NotMeasured, Row


def measure(folder: Path) -> Iterator[Row]:
    """Two rows per pattern."""
    for pattern in patterns():
        project = folder / f"{pattern}-first"
        try:
            run(BIN / "serverless-templates", "new", pattern, project, "--defaults")
            for environments in ("to be made", "made already"):
                took = seconds("make", f"--directory={project}", "test")
                yield Counted(f"{pattern}: `make test`, environments {environments}", took, "s")
        except CommandError as error:
            yield NotMeasured(f"{pattern}: `make test`", str(error))


def not_measured() -> Iterator[Row]:
    """What stands in the table when there was no time for it."""
    yield NotMeasured("`make test` in a new project", "takes minutes; `make benchmark FULL=1` does it")
