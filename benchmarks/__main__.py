"""Entry point of `make benchmark`: measures, prints the table, and writes it into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import first_test, functions, generation, handlers, startup, throughput
from .projects import ROOT, CommandError, make_project, patterns
from .table import NotMeasured, Row, put, table

PAGE = ROOT / "docs/benchmarks.md"
PER_PROJECT = {"functions": functions, "handlers": handlers, "throughput": throughput}
GENERATOR = {"generation": generation, "startup": startup}


def main() -> None:
    """Measure everything, or a part to look at, which is not written down."""
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__)
    parser.add_argument("--full", action="store_true", help="`make test` in new projects as well")
    parser.add_argument("--only", choices=[*GENERATOR, *PER_PROJECT], action="append", help="write nothing")
    parser.add_argument("--pattern", choices=patterns(), action="append", help="write nothing")
    options = parser.parse_args()
    measures = options.only or [*GENERATOR, *PER_PROJECT]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for row in _rows(Path(folder), measures, options.pattern or patterns(), full=options.full):
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    command = f"make benchmark{' FULL=1' if options.full else ''}"
    text = f"Made by `{command}` on {_machine()}.\n\n{table(rows)}"
    print(text)
    if not (options.only or options.pattern):
        put(text, PAGE)


def _rows(folder: Path, measures: list[str], chosen: tuple[str, ...], *, full: bool) -> Iterator[Row]:
    for name, measure in GENERATOR.items():
        if name in measures:
            yield from measure.measure(folder)
    for pattern in chosen if set(measures) & set(PER_PROJECT) else ():
        try:
            project = make_project(pattern, folder)
        except CommandError as error:
            yield NotMeasured(f"{pattern}: its functions", f"it cannot be built: {error}")
            continue
        for name, per_project in PER_PROJECT.items():
            if name in measures:
                try:
                    yield from per_project.measure(project)
                except CommandError as error:
                    yield NotMeasured(f"{pattern}: {name}", str(error))
    yield from first_test.measure(folder) if full else first_test.not_measured()


def _machine() -> str:
    return f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
