"""Messages and requests a second through the local AWS, against the same template around bare handlers.

The local AWS is a part of what is measured, and takes most of the time: its numbers say what our code costs on top, and
nothing about the speed of AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from .projects import Project, inside
from .table import Compared, NotMeasured, Row

ROUNDS = 5
MESSAGES = 500
REQUESTS = 200
UNITS = {"Api": "requests/s", "SQS": "messages/s"}


def measure(project: Project) -> Iterator[Row]:
    """A row per source of each function."""
    if project.without_twin:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in project.without_twin.items())
        yield NotMeasured(f"{project.pattern}: through the local AWS", f"no bare twin, as {reasons}")
        return
    for found in inside(project.folder, "flow.py", project.twin, ROUNDS, MESSAGES, REQUESTS):
        what = f"{project.pattern}, {found['function']}: through the local AWS"
        if reason := found.get("reason"):
            yield NotMeasured(what, reason)
        else:
            yield Compared(what, found["here"], found["bare"], unit=UNITS[found["kind"]], aim="≥ 0.8")
