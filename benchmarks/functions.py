"""What the start of each function costs: imports, modules and the package's size, as `make budget` finds them."""

from __future__ import annotations

from collections.abc import Iterator

from .projects import Project, inside
from .table import Counted, Ratios, Row

ROUNDS = 3


def measure(project: Project) -> Iterator[Row]:
    """Three rows per function."""
    for name, found in inside(project.folder, "imports.py", ROUNDS).items():
        what = f"{project.pattern}, {name}"
        yield Ratios(f"{what}: imports", found["ratios"], aim="≤ 1.25")
        yield Counted(f"{what}: modules beyond the bare ones", found["modules"], "modules")
        yield Counted(f"{what}: package, zipped", found["megabytes"], "MB", aim="≤ 4 MB")
