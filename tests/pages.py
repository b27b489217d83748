"""Pages of the documentation that commands write their figures into."""

from __future__ import annotations

from pathlib import Path

END = "<!-- to here -->"


def put(text: str, page: Path, begins: str) -> None:
    """Write `text` between two marker lines of a page: the one that it begins after, and the next END.

    Raises:
        ValueError: the page has no such lines.
    """
    before, begin, rest = page.read_text("utf-8").partition(begins)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the lines {begins} and {END}. Put them where the table belongs.")
    page.write_text(f"{before}{begins}\n\n{text.strip()}\n\n{END}{after}", "utf-8")
