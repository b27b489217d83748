"""Measurements as rows of Markdown tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import groupby
from statistics import median
from typing import Literal

HEAD = """\
| measured | worst is | here | bare | ratio | spread | aim | reached |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
"""
DETAILS_HEAD = """\
| measured | of | here | bare | ratio | spread |
| --- | --- | ---: | ---: | ---: | ---: |
"""
BEGIN = "<!-- `make benchmark` writes from here -->"


@dataclass(frozen=True)
class Aim:
    """What a figure is to be at most, or at least."""

    sign: Literal["≤", "≥"]
    limit: float
    unit: str = ""

    def reached(self, figure: float) -> bool:
        """Whether a figure is as good as that."""
        return figure <= self.limit if self.sign == "≤" else figure >= self.limit

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g} {self.unit}".strip()


@dataclass(frozen=True)
class Row(ABC):
    """Something measured of one thing: a function of a pattern, or a pattern."""

    what: str
    pattern: str = ""
    of: str = ""
    _: KW_ONLY
    aim: Aim | None = None

    @property
    def title(self) -> str:
        """What is measured, and in which pattern."""
        return f"{self.pattern}: {self.what}" if self.pattern else self.what

    @property
    @abstractmethod
    def figure(self) -> float | None:
        """The number that counts, if there is one."""

    @property
    @abstractmethod
    def cells(self) -> tuple[str, str, str, str]:
        """Here, bare, ratio and spread, as they are shown."""

    def __str__(self) -> str:
        return _row(self.title, self.of, *self.cells)


@dataclass(frozen=True, kw_only=True)
class Compared(Row):
    """Pairs of measurements, each pair taken one right after the other, so that a busy moment hits both."""

    here: Sequence[float]
    bare: Sequence[float]
    unit: str = "s"

    @property
    def ratios(self) -> list[float]:
        """One ratio a pair."""
        return [mine / theirs for mine, theirs in zip(self.here, self.bare, strict=True)]

    @property
    def figure(self) -> float:
        """The median of the pairs' ratios."""
        return median(self.ratios)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """All there is."""
        here, bare = (_shown(median(taken), self.unit) for taken in (self.here, self.bare))
        return here, bare, *_middle_and_ends(self.ratios)


@dataclass(frozen=True, kw_only=True)
class Ratios(Row):
    """Ratios that were taken elsewhere, such as by `make budget`."""

    ratios: Sequence[float]

    @property
    def figure(self) -> float:
        """Their median."""
        return median(self.ratios)

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Nothing but ratios."""
        return "", "", *_middle_and_ends(self.ratios)


@dataclass(frozen=True, kw_only=True)
class Counted(Row):
    """One number that does not vary."""

    value: float
    unit: str = ""

    @property
    def figure(self) -> float:
        """The number."""
        return self.value

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The number alone."""
        return _shown(self.value, self.unit), "", "", ""


@dataclass(frozen=True, kw_only=True)
class NotMeasured(Row):
    """What has no number, and why."""

    reason: str

    @property
    def figure(self) -> None:
        """There is none."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The reason, in words that break no column."""
        return f"not measured: {self.reason.replace('|', '/')}", "", "", ""


def tables(rows: Iterable[Row]) -> str:
    """The worst of each measure and pattern in a short table, and everything in a second one."""
    all_rows = list(rows)
    details = "".join(f"{row}\n" for row in all_rows if row.of and row.figure is not None)
    return f"{HEAD}{''.join(_summed_up(all_rows))}\nOf each function and pattern:\n\n{DETAILS_HEAD}{details}"


def _summed_up(rows: list[Row]) -> Iterator[str]:
    titles = {row.title: None for row in rows}
    for title in titles:
        found = [row for row in rows if row.title == title]
        measured = sorted((row for row in found if row.figure is not None), key=_badness)
        if measured:
            worst = measured[-1]
            reached = "" if worst.aim is None else "yes" if worst.aim.reached(worst.figure or 0) else "no"
            yield f"{_row(title, worst.of, *worst.cells, str(worst.aim or ''), reached)}\n"
        without = sorted((row for row in found if row.figure is None), key=lambda row: row.cells)
        for cells, alike in groupby(without, key=lambda row: row.cells):
            yield f"{_row(title, ', '.join(row.of for row in alike), *cells, '', '')}\n"


def _badness(row: Row) -> float:
    figure = row.figure or 0
    return -figure if row.aim and row.aim.sign == "≥" else figure


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
