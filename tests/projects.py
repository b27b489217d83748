"""How a generated project is made, and how its commands are run: for tests, proofs and benchmarks alike."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from serverless_templates.catalogue import load

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# What generated projects install; made by the Makefile, once for all of them.
TOOLS = ROOT / ".venv-generated"
LINTERS = ROOT / ".venv-lint/bin"
# Where modules of tests/ are imported from, also inside a project.
MODULES = ROOT / "tests"
LONGEST_SECONDS = 600
# What the caller's own virtual environment and make set, and a project's commands must not see.
CALLERS_VARIABLES = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


class CommandError(Exception):
    """A command failed; the message is the last it said."""


@dataclass(frozen=True)
class Variant:
    """A project that a pattern can become."""

    pattern: str
    # The answers that differ from the defaults.
    answers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return "-".join((self.pattern, *(answer for _, answer in self.answers)))


def patterns() -> tuple[str, ...]:
    """Every pattern of the catalogue."""
    return tuple(load(ROOT).patterns)


def variants() -> tuple[Variant, ...]:
    """Each pattern with its defaults, and with each other choice of its own questions."""
    return tuple(
        variant
        for name, pattern in load(ROOT).patterns.items()
        for variant in (
            Variant(name),
            *(
                Variant(name, ((question.name, choice),))
                for question in pattern.questions
                for choice in question.choices
                if choice != question.default
            ),
        )
    )


def make_project(variant: Variant, folder: Path, name: str = "") -> Path:
    """Generate a project in a folder; it is called as the variant is, or by a name."""
    project = folder / (name or str(variant))
    answers = [part for name, answer in variant.answers for part in ("--data", f"{name}={answer}")]
    run(BIN / "serverless-templates", "new", variant.pattern, project, "--defaults", *answers)
    return project


def environment_of(project: Path) -> dict[str, str]:
    """Environment variables for programs that import modules of a project and of tests/."""
    paths = (project, project / "src", MODULES)
    return {"PYTHONPATH": ":".join(map(str, paths)), "VENV": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}


def run_inside(project: Path, module: str, *arguments: object) -> str:
    """What a module of tests/ prints, run with a project's Python and modules."""
    return run(TOOLS / "bin/python", "-m", module, *arguments, cwd=project, environment=environment_of(project))


def make(project: Path, *arguments: str) -> str:
    """What a make target of a project prints."""
    return run(*make_command(project, *arguments))


def make_command(project: Path, *arguments: str) -> list[str]:
    """The command that runs a make target of a project, with the tools that are installed already."""
    as_installed = [f"--old-file=requirements/{path.name}" for path in (project / "requirements").iterdir()]
    return ["make", f"--directory={project}", f"VENV={TOOLS}", *as_installed, *arguments]


def run(*command: object, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command prints.

    Raises:
        CommandError: it failed, or took too long.
    """
    hidden = (*CALLERS_VARIABLES, "VENV", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
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
