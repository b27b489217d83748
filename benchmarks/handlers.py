"""What a warm invocation costs beside that of a bare handler which makes the same calls to AWS.

In one process, with botocore's HTTP answered at once: so what is compared is Python only. On AWS, waiting for the
answers comes on top of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .projects import Function, Project, inside
from .table import Compared, NotMeasured, Row

ROUNDS = 7
INVOCATIONS = 200
BATCH = 10


def measure(project: Project) -> Iterator[Row]:
    """Two rows per function: without and with a trace of the invocation."""
    for function in project.functions:
        if reason := project.without_twin.get(function.name):
            yield NotMeasured(f"{project.pattern}, {function.name}: warm invocation", reason)
            continue
        event, records = _batch(function)
        rounds = [
            [inside(folder, "warm.py", function.name, event, INVOCATIONS) for folder in (project.folder, project.twin)]
            for _ in range(ROUNDS)
        ]
        for place, traced in enumerate(("not traced", "traced")):
            yield Compared(
                f"{project.pattern}, {function.name}: warm, a record of {records}, {traced}"
                if records > 1
                else f"{project.pattern}, {function.name}: warm, {traced}",
                [here[place] / records for here, _ in rounds],
                [bare[place] / records for _, bare in rounds],
            )


def _batch(function: Function) -> tuple[Path, int]:
    """The sample event; a record that comes in batches comes in one of ten."""
    event = json.loads(function.event.read_text("utf-8"))
    if "Records" not in event:
        return function.event, 1
    batch = function.event.with_suffix(".batch.json")
    records = (event["Records"] * BATCH)[:BATCH]
    batch.write_text(json.dumps(event | {"Records": records}), "utf-8")
    return batch, len(records)
