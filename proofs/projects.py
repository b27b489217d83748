"""The projects to prove things of: every pattern, with each choice that it alone offers."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.projects import BIN, ROOT, TOOLS, run, run_inside
from serverless_templates.catalogue import load

__all__ = [
    "ROOT",
    "TOOLS",
    "Variant",
    "granted_in",
    "make_project",
    "run_inside",
    "run_tests",
    "side_by_side",
    "variants",
]


@dataclass(frozen=True)
class Variant:
    """A project that a pattern can become."""

    pattern: str
    # The answers that differ from the defaults.
    answers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return "-".join((self.pattern, *(answer for _, answer in self.answers)))


def variants() -> tuple[Variant, ...]:
    """Each pattern with its defaults, and with each other choice of its own questions."""
    patterns = load(ROOT).patterns
    return tuple(
        variant
        for name, pattern in patterns.items()
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


@contextmanager
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    """For runs on the local AWS, which wait for much of their time; who stops us, stops them as well."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        sys.exit("stopped")

    signal.signal(signal.SIGTERM, stop)
    with ThreadPoolExecutor(os.cpu_count()) as runs:
        try:
            yield runs
        finally:
            runs.shutdown(cancel_futures=True)


def granted_in(project: Path) -> dict[str, Any]:
    """What a project's template says of its roles and resources, and deploy/role.yaml of the pipeline's."""
    found: dict[str, Any] = json.loads(run_inside(project, "proofs.inside.granted"))
    return found


def run_tests(project: Path) -> None:
    """Run a project's end-to-end tests on the local AWS.

    Raises:
        CommandError: they failed.
    """
    environment = {"VENV": str(TOOLS), "PYTHONDONTWRITEBYTECODE": "1"}
    run(TOOLS / "bin/python", "-m", "pytest", "-q", "tests/e2e", cwd=project, environment=environment)
