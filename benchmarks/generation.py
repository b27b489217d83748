"""How long it takes to create a project, each way in against bare cookiecutter on the same files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from .projects import BIN, ROOT, patterns, seconds
from .table import Aim, Compared, Row

ROUNDS = 5


def measure(folder: Path) -> Iterator[Row]:
    """A row per pattern and way in: whole commands, from the shell's view."""
    # Copies, because copier would clone this repository, and hooks ask git about it.
    source = folder / "source"
    shutil.copytree(ROOT / "built", source / "built", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", source)
    without_hooks = folder / "without-hooks"
    shutil.copytree(source / "built", without_hooks, ignore=lambda _, names: {"hooks"} & set(names))
    environment = {"HOME": str(folder)}
    made = folder / "made"
    for pattern in patterns():
        template = source / "built" / pattern
        bare = ("cookiecutter", "--no-input", without_hooks / pattern, "--output-dir", made)
        ways = {
            "`serverless-templates new`": ("serverless-templates", "new", pattern, made / "x", "--defaults"),
            "cookiecutter, with our hooks": ("cookiecutter", "--no-input", template, "--output-dir", made),
            "copier": ("copier", "copy", "--quiet", "--defaults", "--data", f"pattern={pattern}", source, made),
        }
        found: dict[str, list[float]] = {way: [] for way in (*ways, "bare")}
        for _ in range(ROUNDS):
            for way, (program, *arguments) in (ways | {"bare": bare}).items():
                shutil.rmtree(made, ignore_errors=True)
                found[way].append(seconds(BIN / str(program), *arguments, environment=environment))
        for way in ways:
            aim = Aim("≤", 1.1)
            yield Compared(f"a project by {way}", "", pattern, aim=aim, here=found[way], bare=found["bare"])
