"""How long it takes to create a project, each way in against bare cookiecutter on the same files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from projects import BIN, ROOT, patterns, run

from .table import Aim, Compared, Row
from .twins import seconds

ROUNDS = 9


def measure(folder: Path) -> Iterator[Row]:
    """A row per pattern and way in: whole commands, from the shell's view."""
    installed = _installed(folder)
    environment = {"HOME": str(folder), "PYTHONPATH": str(installed)}
    # Copies, because copier would clone this repository, and hooks ask git about it.
    source = folder / "source"
    shutil.copytree(ROOT / "built", source / "built", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", source)
    without_hooks = folder / "without-hooks"
    shutil.copytree(source / "built", without_hooks, ignore=lambda _, names: {"hooks"} & set(names))
    made = folder / "made"
    command = ("python", "-m", "serverless_templates")
    for pattern in patterns():
        template = source / "built" / pattern
        bare = ("cookiecutter", "--no-input", without_hooks / pattern, "--output-dir", made)
        ways = {
            "`serverless-templates new`": (*command, "new", pattern, made / "order-intake", "--defaults"),
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


def _installed(folder: Path) -> Path:
    """This package as people install it: in a checkout, the command asks git about it first."""
    sources = folder / "sources"
    for name in ("built", "generator", "templates"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, sources)
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--compile")
    run(BIN / "python", "-m", "pip", "install", *options, f"--target={folder / 'installed'}", sources)
    return folder / "installed"
