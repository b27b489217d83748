"""Brings a project up to date with its template: whether it is behind, what would change, and the change itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from .errors import UsageError
from .git import git, top_level

ANSWERS_FILE = ".copier-answers.yml"
# A tag, what `git describe` says of a commit, or a commit. A branch is none: it moves on.
VERSION = re.compile(r"v?\d\S*|\S+-\d+-g[0-9a-f]+|[0-9a-f]{7,40}")


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
class Left:
    """What an update leaves to the user: the files in which it conflicts with the user's changes.

    And those `kept`: the template has them no more, and they are still there because the user changed them.
    """

    conflicts: tuple[str, ...]
    kept: tuple[str, ...]


def find_project(folder: Path) -> Project:
    """The generated project in `folder`.

    Raises:
        UsageError: there is none, or it does not say which version of which template it was made from.
    """
    try:
        answers = yaml.safe_load((folder / ANSWERS_FILE).read_bytes())
    except OSError as error:
        raise UsageError(f"{folder}: not a generated project, for it has no {ANSWERS_FILE}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{folder / ANSWERS_FILE}: not YAML: {error}. Restore it from git.") from error
    if not isinstance(answers, dict) or "pattern" not in answers:
        raise UsageError(f"{folder / ANSWERS_FILE}: it names no pattern, so another template made this project.")
    if not answers.get("_commit") or not answers.get("_src_path"):
        raise UsageError(
            f"{folder / ANSWERS_FILE}: the template's version is not known. When you know it, add it as "
            "`_commit: v0.1.0` and the template's address as `_src_path: …`."
        )
    for name, answer in answers.items():
        if not isinstance(answer, str):
            raise UsageError(f"{folder / ANSWERS_FILE}: {name}: {answer!r} is not text. Put it between quotes.")
    if not VERSION.fullmatch(answers["_commit"]):
        raise UsageError(
            f"{folder / ANSWERS_FILE}: _commit: {answers['_commit']!r} is no version. It must be the tag or the commit "
            "that the project was made from; a branch moves on, and an update would start from the wrong place."
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
    # Elsewhere in the repository work may go on, but copier brings back what is deleted there.
    if deleted := git(project.top, "ls-files", "--deleted"):
        raise UsageError(f"{deleted.splitlines()[0]}: deleted, but that is not committed. Commit or restore it first.")


def preview(project: Project) -> tuple[str, Left]:
    """What `update` would change, in git's summary, and what it would leave to the user: tried on a copy.

    Raises:
        UsageError: the template cannot be read, or something of the user's would be lost.
    """
    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as temporary:
        copy = Path(temporary).resolve() / "copy"
        if git(project.top, "clone", "--quiet", "--no-hardlinks", str(project.top), str(copy)) is None:
            raise UsageError(f"{project.top}: git cannot copy this repository. Commit something first.")
        copied = Project(copy / project.folder.relative_to(project.top), copy)
        before = _answers(copied)
        left = update(copied)
        _check_answers_kept(before, _answers(copied))
        git(copy, "add", "--all", "--force")
        _check_nothing_hidden(project, _paths(copy, "--cached", "--diff-filter=A", "HEAD"))
        return git(copy, "diff", "--cached", "--stat=100", "--summary", "HEAD") or "", left


def _answers(project: Project) -> dict[str, str]:
    answers: dict[str, str] = yaml.safe_load((project.folder / ANSWERS_FILE).read_bytes())
    return answers


def _check_answers_kept(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """See that the new version takes the answers of before: copier silently takes its default where it does not."""
    for name, answer in before.items():
        if not name.startswith("_") and name != "pattern" and after.get(name, answer) != answer:
            raise UsageError(
                f"{ANSWERS_FILE}: {name}: the template's new version no longer takes {answer!r}. "
                f"Nothing has changed. Give it another answer with `copier update --data {name}=…`."
            )


def _check_nothing_hidden(project: Project, added: Iterable[str]) -> None:
    """See that no new file takes the place of one that git ignores, and so could not bring back."""
    for path in added:
        if (project.top / path).exists():
            raise UsageError(
                f"{path}: the template brings a file of this name, and yours would be lost, for git ignores it. "
                "Rename yours, or commit it with `git add --force`."
            )


def update(project: Project) -> Left:
    """Update `project`, with the defaults for questions that are new.

    Raises:
        UsageError: the template cannot be read, or does not take the project's answers.
    """
    from copier import run_update  # slow to import, and only needed here

    before = _answers(project)
    with _errors_of_copier():
        run_update(project.folder, defaults=True, overwrite=True, quiet=True)
    kept = _keep_what_was_changed(project, before)
    return Left(_paths(project.folder, "--diff-filter=U"), kept)


def _keep_what_was_changed(project: Project, answers: dict[str, str]) -> tuple[str, ...]:
    """Put back the files that the update removed although the user had changed them."""
    removed = _paths(project.folder, "--diff-filter=D", "HEAD")
    if not removed:
        return ()
    from copier import run_copy

    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as temporary:
        made = Path(temporary).resolve()
        folder = made / project.folder.relative_to(project.top)
        with _errors_of_copier():
            run_copy(answers["_src_path"], folder, answers, vcs_ref=answers["_commit"], defaults=True, quiet=True)
        changed = [path for path in removed if not _is_as_made(project, made, path)]
    for path in changed:
        git(project.top, "checkout", "HEAD", "--", path)
    return tuple(changed)


def _is_as_made(project: Project, made: Path, path: str) -> bool:
    as_made = git(project.top, "hash-object", f"--path={path}", str(made / path))
    return as_made == git(project.top, "rev-parse", f"HEAD:{path}")


def _paths(folder: Path, *arguments: str) -> tuple[str, ...]:
    """The paths in `folder` that `git diff` names, each from the top of the repository on."""
    # Separated by zero bytes, since names may hold anything else.
    names = git(folder, "diff", "--name-only", "--no-renames", "-z", *arguments, "--", ".") or ""
    return tuple(dict.fromkeys(filter(None, names.split("\0"))))


@contextmanager
def _errors_of_copier() -> Iterator[None]:
    """Says in our words what copier says in its own."""
    from copier.errors import CopierError
    from plumbum import ProcessExecutionError

    try:
        yield
    except ValueError as error:
        raise UsageError(f"{ANSWERS_FILE}: {str(error).rstrip('.')}. Mend it there, and commit it.") from error
    except (CopierError, ProcessExecutionError) as error:
        raise UsageError(_unreadable(str(error))) from error


def _unreadable(output: str) -> str:
    reason = output.strip().splitlines()[-1].strip() if output.strip() else "copier says nothing"
    return f"The template cannot be read: {reason.rstrip('.')}. See `_src_path` and `_commit` in {ANSWERS_FILE}."
