"""What the start of each function costs: imports, modules and the package's size, as `make budget` finds them."""

from __future__ import annotations

from collections.abc import Iterator

from .table import Aim, Counted, Ratios, Row
from .twins import Project, inside, short

ROUNDS = 3


def measure(project: Project) -> Iterator[Row]:
    """Three rows per function."""
    for name, found in inside(project.folder, "imports", ROUNDS).items():
        of = project.pattern, short(name)
        yield Ratios("imports", *of, aim=Aim("≤", 1.25), ratios=found["ratios"])
        yield Counted("modules beyond the bare ones", *of, value=found["modules"])
        yield Counted("package, zipped", *of, aim=Aim("≤", 4, "MB"), value=found["megabytes"], unit="MB")
