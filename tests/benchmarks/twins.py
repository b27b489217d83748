"""Generated projects to measure in, and their bare twins."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import BIN, make, run, run_inside

from .bare import source_of


@dataclass(frozen=True)
class Project:
    """A generated project, and its twin: the same template around bare handlers."""

    pattern: str
    folder: Path
    twin: Path
    # What each function was seen to do for its sample event: see inside/record.py.
    recordings: dict[str, Path]
    # Why a function has no bare handler, by its name.
    without_twin: dict[str, str]


def make_with_twin(pattern: str, folder: Path) -> Project:
    """Generate a project of a pattern, make its twin, and package its functions.

    The twin's handlers make the calls to AWS that ours were seen to make for their sample event.
    """
    here, twin = folder / pattern, folder / f"{pattern}-bare"
    run(BIN / "serverless-templates", "new", pattern, here, "--defaults")
    run(BIN / "serverless-templates", "new", pattern, twin, "--defaults", "--data", f"project_slug=bare-{pattern}"[:30])
    recordings, without_twin = {}, {}
    for name, recording in inside(here, "record").items():
        if "reason" in recording:
            without_twin[name] = recording["reason"]
            continue
        path = twin / "src" / Path(*recording["module"].split(".")).with_suffix(".py")
        path.write_text(source_of(recording), "utf-8")
        recordings[name] = folder / f"{pattern}-{name}.json"
        recordings[name].write_text(json.dumps(recording), "utf-8")
    if not without_twin:
        (twin / "src/requirements.txt").write_text("", "utf-8")
    make(here, "build")
    return Project(pattern, here, twin, recordings, without_twin)


def short(function: str) -> str:
    """A function's name without what every function's name ends with."""
    return function.removesuffix("Function")


def inside(project: Path, script: str, *arguments: object) -> Any:
    """What a script of `inside/` prints as JSON."""
    return json.loads(run_inside(project, f"benchmarks.inside.{script}", *arguments))


def seconds(*command: object, **options: Any) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    run(*command, **options)
    return time.perf_counter() - start
