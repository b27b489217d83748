"""docs/traceability.md names every requirement, and only files that are there."""

import re

from helpers import ROOT

PAGE = (ROOT / "docs/traceability.md").read_text("utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if re.match(r"\| [PX]\d+ \|", line)]
REQUIRED = {f"P{number}" for number in range(1, 11)} | {f"X{number}" for number in range(1, 26)}
LAYERS = sorted(
    [*(ROOT / "templates").glob("**/files"), *(path.parent for path in (ROOT / "templates").glob("**/toolkit_tests"))]
)


def test_every_requirement_has_a_row() -> None:
    assert {row[0].strip() for row in ROWS} == REQUIRED


def test_every_file_in_the_table_is_there() -> None:
    cells = [cell for row in ROWS for cell in row[2:]]
    paths = {path for cell in cells for path in re.findall(r"`([\w.-]*[/.][\w./-]*|Makefile)`", cell)}
    links = {link for cell in cells for link in re.findall(r"\]\(([^)]+)\)", cell)}

    assert len(paths) > len(REQUIRED)
    assert [path for path in sorted(paths) if not any((layer / path).is_file() for layer in LAYERS)] == []
    assert [link for link in sorted(links) if not (ROOT / "docs" / link).is_file()] == []
