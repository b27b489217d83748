"""Starts the next architecture decision record in docs/adr/, and adds it to the index."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ADRS = Path(__file__).resolve().parents[2] / "docs" / "adr"
RECORD = """\
# {number}. {title}

Status: proposed, {today}

## Context

## Decision

## Rationale

## Alternatives

## Consequences
"""


def main() -> None:
    """Entry point of `make adr TITLE="…"`."""
    title = " ".join(sys.argv[1:]).strip()
    if not title:
        sys.exit('Give the decision a title: make adr TITLE="Use a FIFO queue"')
    print(start(ADRS, title, datetime.now(tz=UTC).date().isoformat()))


def start(folder: Path, title: str, today: str) -> Path:
    """Write the next record and its line in README.md; returns the record's path."""
    numbers = [int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]-*.md")]
    number = max(numbers, default=0) + 1
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "decision"
    path = folder / f"{number:04}-{words[:60]}.md"
    path.write_text(RECORD.format(number=number, title=title, today=today), encoding="utf-8")
    index = folder / "README.md"
    cell = title.replace("|", "\\|")
    line = f"| [{number:04}]({path.name}) | {cell} | proposed |\n"
    index.write_text(index.read_text(encoding="utf-8") + line, encoding="utf-8")
    return path
