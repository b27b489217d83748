"""What a warm invocation costs beside that of a bare handler which makes the same calls to AWS.

In one process, with botocore's HTTP answered at once by what the local AWS answered before: so what is compared is
Python only. On AWS, waiting for the answers comes on top of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .table import Compared, NotMeasured, Row
from .twins import Project, inside, short

ROUNDS = 5
INVOCATIONS = 100
BATCH = 10


def measure(project: Project) -> Iterator[Row]:
    """Two rows per function: without and with a trace of the invocation."""
    for name, reason in project.without_twin.items():
        yield NotMeasured("warm", project.pattern, short(name), reason=reason)
    for name, path in project.recordings.items():
        recording, records = _batch(path)
        rounds = [
            [inside(folder, "warm", recording, INVOCATIONS // records) for folder in (project.folder, project.twin)]
            for _ in range(ROUNDS)
        ]
        for place, measured in enumerate(("warm", "warm, traced")):
            yield Compared(
                measured,
                project.pattern,
                f"{short(name)}, a record of {records}" if records > 1 else short(name),
                here=[here[place] / records for here, _ in rounds],
                bare=[bare[place] / records for _, bare in rounds],
            )


def _batch(path: Path) -> tuple[Path, int]:
    """The recording; a record that comes in batches comes in one of ten."""
    recording = json.loads(path.read_text("utf-8"))
    event = recording["event"]
    if "Records" not in event:
        return path, 1
    event["Records"] = (event["Records"] * BATCH)[:BATCH]
    batch = path.with_suffix(".batch.json")
    batch.write_text(json.dumps(recording), "utf-8")
    return batch, BATCH
