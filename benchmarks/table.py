"""Measurements as rows of a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HEAD = """\
| measured | here | bare | ratio | spread | aim |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
BEGIN = "<!-- `make benchmark` writes from here -->"
END = "<!-- to here -->"


@dataclass(frozen=True)
class Compared:
    """Pairs of measurements, each pair taken one right after the other, so that a busy moment hits both."""

    what: str
    here: Sequence[float]
    bare: Sequence[float]
    unit: str = "s"
    aim: str = ""

    @property
    def ratios(self) -> list[float]:
        """One ratio a pair."""
        return [mine / theirs for mine, theirs in zip(self.here, self.bare, strict=True)]

    def __str__(self) -> str:
        return _row(
            self.what,
            _shown(median(self.here), self.unit),
            _shown(median(self.bare), self.unit),
            *_middle_and_ends(self.ratios),
            self.aim,
        )


@dataclass(frozen=True)
class Ratios:
    """Ratios that were taken elsewhere, such as by `make budget`."""

    what: str
    ratios: Sequence[float]
    aim: str = ""

    def __str__(self) -> str:
        return _row(self.what, "", "", *_middle_and_ends(self.ratios), self.aim)


@dataclass(frozen=True)
class Counted:
    """One number that does not vary."""

    what: str
    value: float
    unit: str
    aim: str = ""

    def __str__(self) -> str:
        return _row(self.what, _shown(self.value, self.unit), "", "", "", self.aim)


@dataclass(frozen=True)
class NotMeasured:
    """What has no number, and why."""

    what: str
    reason: str

    def __str__(self) -> str:
        return _row(self.what, f"not measured: {self.reason.replace('|', '/')}", "", "", "", "")


Row = Compared | Ratios | Counted | NotMeasured


def table(rows: Iterable[Row]) -> str:
    """The rows as Markdown."""
    return HEAD + "".join(f"{row}\n" for row in rows)


def put(text: str, page: Path) -> None:
    """Write `text` between the two marker lines of a page.

    Raises:
        ValueError: the page has no such lines.
    """
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the lines {BEGIN} and {END}. Put them where the table belongs.")
    page.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", "utf-8")


def _middle_and_ends(ratios: Sequence[float]) -> tuple[str, str]:
    return f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: float, unit: str) -> str:
    """A number with three digits that count, in a unit of a handy size."""
    if unit == "s":
        for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= size:
                return f"{value / size:.3g} {name}"
    return f"{value:.3g} {unit}".strip() if value < 1000 else f"{value:.0f} {unit}".strip()  # noqa: PLR2004
