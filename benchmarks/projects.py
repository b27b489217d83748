"""Generated projects to measure in, and their bare twins."""

from __future__ import annotations

import json
import os
import shutil
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
INSIDE = Path(__file__).parent / "inside"


class CommandError(Exception):
    """A command failed; the message is the last it said."""


@dataclass(frozen=True)
class Function:
    """One function of a project, as template.yaml and events/ have it."""

    name: str
    module: str
    event: Path


@dataclass(frozen=True)
class Project:
    """A generated project, and its twin: the same template around bare handlers."""

    pattern: str
    folder: Path
    twin: Path
    functions: tuple[Function, ...]
    # Why a function has no bare handler, by its name.
    without_twin: dict[str, str]


def patterns() -> tuple[str, ...]:
    """Every pattern of the catalogue."""
    return tuple(load(ROOT).patterns)


def make_project(pattern: str, folder: Path) -> Project:
    """Generate a project of a pattern, package its functions, and make its twin.

    The twin's handlers make the calls to AWS that ours were seen to make for their sample event.
    """
    here, twin = folder / pattern, folder / f"{pattern}-bare"
    run(BIN / "serverless-templates", "new", pattern, here, "--defaults")
    run(BIN / "serverless-templates", "new", pattern, twin, "--defaults", "--data", f"project_slug=bare-{pattern}"[:30])
    make(here, "build")
    functions = tuple(
        Function(name, module, here / "events" / f"{module.rpartition('.')[2]}.json")
        for name, module in inside(here, "functions.py").items()
    )
    without_twin = {}
    for function in functions:
        if not function.event.exists():
            without_twin[function.name] = f"there is no events/{function.event.name}"
            continue
        try:
            recorded = inside(here, "record.py", function.name, function.event)
        except CommandError as error:
            without_twin[function.name] = f"its sample event raises {error}"
            continue
        path = twin / "src" / Path(*function.module.split(".")).with_suffix(".py")
        path.write_text(source_of(recorded, json.loads(function.event.read_text("utf-8"))), "utf-8")
    if not without_twin:
        (twin / "src/requirements.txt").write_text("", "utf-8")
        shutil.rmtree(twin / "tests")
    return Project(pattern, here, twin, functions, without_twin)


def inside(project: Path, script: str, *arguments: object) -> Any:
    """What a script of `inside/` prints as JSON, run with the project's Python and modules."""
    paths = {"PYTHONPATH": f"{project}:{project / 'src'}", "VENV": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
    return json.loads(run(TOOLS / "bin/python", INSIDE / script, *arguments, cwd=project, environment=paths))


def make(project: Path, *arguments: str) -> str:
    """Run a make target of a project, with the tools that are installed already."""
    as_installed = [f"--old-file=requirements/{name}.txt" for name in ("dev", "sam", "local-aws")]
    return run("make", f"--directory={project}", f"VENV={TOOLS}", *as_installed, *arguments)


def run(*command: object, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command prints.

    Raises:
        CommandError: it failed.
    """
    # Whoever runs this may be in a virtual environment, and is in a make of their own.
    mine = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VENV", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in mine}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise CommandError(said[-1])
    return done.stdout


def seconds(*command: object, **options: Any) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    run(*command, **options)
    return time.perf_counter() - start
