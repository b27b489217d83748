"""Messages and requests a second through the local AWS, against the same template around bare handlers.

The local AWS is a part of what is measured, and takes most of the time: its numbers say what our code costs on top, and
nothing about the speed of AWS.
"""

from __future__ import annotations

from collections.abc import Iterator

from .table import Aim, Compared, NotMeasured, Row
from .twins import Project, inside, short

ROUNDS = 7
MESSAGES = 1_000
REQUESTS = 60
UNITS = {"Api": "requests/s", "SQS": "messages/s"}
WHAT = "through the local AWS"


def measure(project: Project) -> Iterator[Row]:
    """A row per source of each function."""
    for name, reason in project.without_twin.items():
        yield NotMeasured(WHAT, project.pattern, short(name), reason=f"it has no bare twin, as {reason}")
    for found in inside(project.folder, "flow", project.twin, ROUNDS, MESSAGES, REQUESTS, *project.recordings):
        of = project.pattern, short(found["function"])
        if reason := found.get("reason"):
            yield NotMeasured(WHAT, *of, reason=reason)
        else:
            here, bare = found["here"], found["bare"]
            yield Compared(WHAT, *of, aim=Aim("≥", 0.8), here=here, bare=bare, unit=UNITS[found["kind"]])
