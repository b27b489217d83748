"""Entry point of `make benchmark`: measures, prints the tables, and writes them into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pages import put
from projects import ROOT, patterns

from . import first_test, functions, generation, handlers, memory, startup, throughput
from .table import BEGIN, NotMeasured, Row, tables
from .twins import make_with_twin

PAGE = ROOT / "docs/benchmarks.md"
PER_PROJECT = {"functions": functions, "handlers": handlers, "memory": memory, "throughput": throughput}
GENERATOR = {"generation": generation, "startup": startup}


def main() -> None:
    """Measure everything, or a part to look at, which is not written down."""
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__)
    parser.add_argument("--full", action="store_true", help="`make test` in new projects as well")
    parser.add_argument("--only", choices=[*GENERATOR, *PER_PROJECT], action="append", help="write nothing")
    parser.add_argument("--pattern", choices=patterns(), action="append", help="write nothing")
    options = parser.parse_args()
    measures = options.only or [*GENERATOR, *PER_PROJECT]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # So that nothing is left behind then either.
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder  # What other tools leave behind goes with it.
        for row in _rows(Path(folder), measures, options.pattern or patterns(), full=options.full):
            _tell(str(row))
            rows.append(row)
    command = f"make benchmark{' FULL=1' if options.full else ''}"
    text = f"Made by `{command}` on {_machine()}.\n\n{tables(rows)}"
    print(text)
    if not (options.only or options.pattern):
        put(text, PAGE, BEGIN)


def _rows(folder: Path, measures: list[str], chosen: tuple[str, ...], *, full: bool) -> Iterator[Row]:
    for name, measure in GENERATOR.items():
        if name in measures:
            yield from _as_far_as_it_goes(measure.measure(folder), name)
    for pattern in chosen if set(measures) & set(PER_PROJECT) else ():
        _tell(f"{pattern}: makes the project, and records what its functions do")
        try:
            project = make_with_twin(pattern, folder)
        except Exception as error:
            yield NotMeasured("its functions", pattern, reason=f"it cannot be built: {error}")
            continue
        for name, per_project in PER_PROJECT.items():
            if name in measures:
                yield from _as_far_as_it_goes(per_project.measure(project), name, pattern)
    yield from _as_far_as_it_goes(first_test.measure(folder), "`make test`") if full else first_test.not_measured()


def _as_far_as_it_goes(rows: Iterator[Row], what: str, pattern: str = "") -> Iterator[Row]:
    """The rows up to an error, and the error: it shall not lose the figures of others."""
    _tell(f"{pattern or 'the generator'}: {what}")
    try:
        yield from rows
    except Exception as error:
        yield NotMeasured(f"{what}, all or in part", pattern, reason=f"{type(error).__name__}: {error}")


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def _machine() -> str:
    return f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
