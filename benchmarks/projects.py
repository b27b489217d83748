"""Generated projects to measure in, and their bare twins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serverless_templates.catalogue import load

from .bare import source_of

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# What generated projects install; made by the Makefile, once for all of them.
TOOLS = ROOT / ".venv-generated"
LONGEST_SECONDS = 600


class CommandError(Exception):
    """A command failed; the message is the last it said."""


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


def patterns() -> tuple[str, ...]:
    """Every pattern of the catalogue."""
    return tuple(load(ROOT).patterns)


def make_project(pattern: str, folder: Path) -> Project:
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


def run_inside(project: Path, module: str, *arguments: object) -> str:
    """What a module of this repository prints, run with a project's Python and modules."""
    paths = f"{project}:{project / 'src'}:{ROOT}"
    environment = {"PYTHONPATH": paths, "VENV": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
    return run(TOOLS / "bin/python", "-m", module, *arguments, cwd=project, environment=environment)


def make(project: Path, *arguments: str) -> str:
    """Run a make target of a project, with the tools that are installed already."""
    as_installed = [f"--old-file=requirements/{path.name}" for path in (project / "requirements").iterdir()]
    return run("make", f"--directory={project}", f"VENV={TOOLS}", *as_installed, *arguments)


def run(*command: object, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command prints.

    Raises:
        CommandError: it failed, or took too long.
    """
    # Whoever runs this may be in a virtual environment, and is in a make of their own.
    mine = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VENV", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in mine}
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=kept | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=LONGEST_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{Path(str(command[0])).name} takes longer than {LONGEST_SECONDS} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise CommandError(said[-1])
    return done.stdout


def seconds(*command: object, **options: Any) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    run(*command, **options)
    return time.perf_counter() - start
