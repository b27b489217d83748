"""Asks git about a repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints for a command in `folder`; None when git fails or is not there."""
    # Without the variables that git sets in its own hooks, which would make it look at another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        # A file's name may hold bytes that are no text.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, encoding="utf-8", errors="surrogateescape", env=environment, check=False
        )
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def top_level(folder: Path) -> Path | None:
    """The top folder of the repository that `folder` is in; None outside of any."""
    top = git(folder, "rev-parse", "--show-toplevel")
    return Path(top).resolve() if top else None
