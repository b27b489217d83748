"""Brings a project up to date with its template: whether it is behind, what would change, and the change itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from .errors import UsageError
from .git import git, top_level

ANSWERS_FILE = ".copier-answers.yml"


@dataclass(frozen=True)
class Project:
    """A generated project: its folder, and the top folder of the repository that it is in."""

    folder: Path
    top: Path


@dataclass(frozen=True)
class Versions:
    """The template's version that a project has, and the newest there is."""

    current: str
    latest: str


@dataclass(frozen=True)
class Changes:
    """What an update does: git's summary of it, and the files in which it conflicts with the user's changes."""

    summary: str
    conflicts: tuple[str, ...]


def find_project(folder: Path) -> Project:
    """The generated project in `folder`.

    Raises:
        UsageError: there is none, or it does not say which version of which template it was made from.
    """
    try:
        answers = yaml.safe_load((folder / ANSWERS_FILE).read_bytes())
    except OSError as error:
        raise UsageError(f"{folder}: not a generated project, for it has no {ANSWERS_FILE}.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{folder / ANSWERS_FILE}: not YAML: {error}. Restore it from git.") from error
    if not isinstance(answers, dict) or "pattern" not in answers:
        raise UsageError(f"{folder / ANSWERS_FILE}: it names no pattern, so another template made this project.")
    if not answers.get("_commit") or not answers.get("_src_path"):
        raise UsageError(
            f"{folder / ANSWERS_FILE}: the template's version is not known. When you know it, add it as "
            "`_commit: v0.1.0` and the template's address as `_src_path: …`."
        )
    top = top_level(folder)
    if top is None:
        raise UsageError(
            f"{folder}: not in a git repository, or git is not installed. Run `git init` and commit it first."
        )
    return Project(folder.resolve(), top)


def newer(project: Project) -> Versions | None:
    """The versions of `project` and of its template; None when the project is up to date.

    Raises:
        UsageError: the template cannot be read.
    """
    command = [sys.executable, "-m", "copier", "check-update", "--output-format", "json", str(project.folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    try:
        data = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise UsageError(_unreadable(done.stderr)) from error
    return Versions(data["current_version"], data["latest_version"]) if data["update_available"] else None


def check_clean(project: Project) -> None:
    """See that nothing in `project` would be mixed up with an update.

    Raises:
        UsageError: there are changes that are not committed.
    """
    if git(project.folder, "status", "--porcelain", "--", ".") != "":
        raise UsageError(f"{project.folder}: there are changes that are not committed. Commit or stash them first.")


def preview(project: Project) -> Changes:
    """What `update` would do, tried on a copy.

    Raises:
        UsageError: the template cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as folder:
        copy = Path(folder).resolve() / "copy"
        if git(project.top, "clone", "--quiet", "--no-hardlinks", str(project.top), str(copy)) is None:
            raise UsageError(f"{project.top}: git cannot copy this repository. Commit something first.")
        copied = Project(copy / project.folder.relative_to(project.top), copy)
        conflicts = update(copied)
        git(copy, "add", "--all")
        return Changes(git(copy, "diff", "--cached", "--stat=100", "--summary", "HEAD") or "", conflicts)


def update(project: Project) -> tuple[str, ...]:
    """Update `project`, with the defaults for questions that are new; returns the files in conflict.

    Raises:
        UsageError: the template cannot be read.
    """
    from copier import run_update  # slow to import, and only needed here
    from copier.errors import CopierError
    from plumbum import ProcessExecutionError

    try:
        run_update(project.folder, defaults=True, overwrite=True, quiet=True)
    except (CopierError, ProcessExecutionError, ValueError) as error:
        raise UsageError(_unreadable(str(error))) from error
    conflicts = git(project.top, "-c", "core.quotePath=false", "diff", "--name-only", "--diff-filter=U") or ""
    return tuple(conflicts.splitlines())


def _unreadable(output: str) -> str:
    reason = output.strip().splitlines()[-1].strip() if output.strip() else "copier says nothing"
    return f"The template cannot be read: {reason.rstrip('.')}. See `_src_path` and `_commit` in {ANSWERS_FILE}."
