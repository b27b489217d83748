"""The most memory that a function takes for a batch of a stream, which Lambda makes as large as one asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .table import Aim, Counted, Row
from .twins import Project, inside, short

# Up to the most that Lambda hands over: docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
RECORDS = (1, 100, 1_000, 10_000)


def measure(project: Project) -> Iterator[Row]:
    """A row per size of a batch, for each function that reads a stream."""
    for name, path in project.recordings.items():
        records = json.loads(path.read_text("utf-8"))["event"].get("Records", [])
        if not any("kinesis" in record for record in records):
            continue
        for count in RECORDS:
            yield Counted(
                "most memory",
                project.pattern,
                f"{short(name)}, a batch of {count:,}",
                # What its function has in template.yaml.
                aim=Aim("≤", 512, "MB"),
                value=inside(project.folder, "memory", path, count),
                unit="MB",
            )
