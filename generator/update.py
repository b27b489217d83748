"""Brings a project up to date with its template: whether it is behind, what would change, and the change itself."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from .errors import UsageError
from .git import DESCRIBE, VERSION_TAG, address_for_git, for_copier, git, run, top_level

ANSWERS_FILE = ".copier-answers.yml"
# A version, what `git describe` says of a commit, or a commit. Branches and tags like `v1` move, so they are none.
VERSION = re.compile(rf"{VERSION_TAG.pattern}|\S+-\d+-g[0-9a-f]+|[0-9a-f]{{7,40}}")
# Where git or ssh says why it failed; what follows is advice.
REASON = re.compile(r"(?:fatal|ERROR|error|ssh|remote): |Permission denied|Host key verification failed")


@dataclass(frozen=True)
class Project:
    """A generated project: its folder, and the top folder of the repository that it is in."""

    folder: Path
    top: Path


@dataclass(frozen=True)
class Versions:
    """The template's version that a project has, and the newest that it can go to, which may be the same.

    `passed_over` is a newer version that it cannot go to; empty when there is none.
    """

    current: str
    latest: str
    passed_over: str

    @property
    def behind(self) -> bool:
        """Whether there is something to update to."""
        return self.current != self.latest


@dataclass(frozen=True)
class Left:
    """What an update leaves to the user: files with conflicts between its changes and the user's.

    `kept` are files that the template no longer has, and that stay because the user changed them.
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
        raise UsageError(f"{folder}: not a generated project: {ANSWERS_FILE} is missing.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{folder / ANSWERS_FILE}: not YAML: {error}. Restore it from git.") from error
    if not isinstance(answers, dict) or "pattern" not in answers:
        raise UsageError(f"{folder / ANSWERS_FILE}: `pattern` is missing, so another template made this project.")
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
            f"{folder / ANSWERS_FILE}: _commit: {answers['_commit']!r} is not a version. It must be the tag or the "
            "commit that the project was made from; a branch moves, and an update would use the wrong version."
        )
    return Project(folder.resolve(), _top(folder))


def _top(folder: Path) -> Path:
    if top := top_level(folder):
        return top
    said = run(folder, "rev-parse", "--show-toplevel").stderr.strip()
    if "safe.directory" in said:  # the folder belongs to another user
        raise UsageError(f"{folder}: git refuses to work here:\n{said}")
    raise UsageError(f"{folder}: not in a git repository, or git is not installed. Run `git init` and commit it first.")


def newer(project: Project) -> Versions:
    """The version of `project`, and the newest of its template that it can go to.

    That is a version tag on the line of commits that the template's default branch has itself: what was merged into
    it, as a fork merges upstream, has tags of its own. And it contains the version that the project has: another one
    does not have what the project was made with.

    Raises:
        UsageError: the template cannot be read.
    """
    answers = _answers(project)
    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as temporary:
        history = Path(temporary) / "template.git"
        # Commits and tags only, where the server can leave out the files.
        done = run(
            Path.cwd(),
            "clone",
            "--bare",
            "--quiet",
            "--filter=tree:0",
            "--",
            address_for_git(answers["_src_path"]),
            str(history),
        )
        if done.returncode != 0:
            raise UsageError(_unreadable(done.stderr))
        commit = git(history, "rev-parse", "--verify", "--quiet", f"{answers['_commit']}^{{commit}}")
        if not commit:
            raise UsageError(_unreadable(f"fatal: it has no version {answers['_commit']}"))
        return _versions(history, commit)


def _versions(history: Path, commit: str) -> Versions:
    current = git(history, *DESCRIBE, "--always", commit) or commit
    own = set((git(history, "rev-list", "--first-parent", "HEAD") or "").split())
    containing = _tags(history, f"--contains={commit}")
    possible = [tag for tag in containing if git(history, "rev-parse", f"{tag}^{{commit}}") in own]
    latest = max(
        [tag for tag in possible if git(history, "rev-parse", f"{tag}^{{commit}}") != commit], key=_parts, default=""
    )
    latest = latest if _parts(latest) > _parts(current) else current
    newest = max(_tags(history), key=_parts, default="")
    return Versions(current, latest, newest if _parts(newest) > _parts(latest) else "")


def _tags(history: Path, *arguments: str) -> list[str]:
    names = git(history, "for-each-ref", "--format=%(refname:strip=2)", *arguments, "refs/tags") or ""
    return [name for name in names.splitlines() if VERSION_TAG.fullmatch(name)]


def _parts(version: str) -> tuple[int, ...]:
    """What versions are compared by; a commit without any comes before all."""
    tag = VERSION_TAG.match(version)
    return tuple(int(part) for part in tag[0].removeprefix("v").split(".")) if tag else ()


def check_clean(project: Project) -> None:
    """Check that `project` has no changes that an update would mix with its own.

    Raises:
        UsageError: there are changes that are not committed.
    """
    if git(project.folder, "status", "--porcelain", "--", ".") != "":
        raise UsageError(f"{project.folder}: there are changes that are not committed. Commit or stash them first.")
    if left := _rejected(project):
        raise UsageError(
            f"{left[0]}: a change that an earlier update could not apply. Make it again by hand, and delete this file."
        )
    # Elsewhere in the repository work may go on, but copier brings back what is deleted there.
    if deleted := git(project.top, "ls-files", "--deleted"):
        raise UsageError(f"{deleted.splitlines()[0]}: deleted, but that is not committed. Commit or restore it first.")


def preview(project: Project, version: str) -> tuple[str, Left]:
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
        left = update(copied, version)
        _check_answers_kept(before, _answers(copied))
        git(copy, "add", "--all", "--force")
        _check_nothing_hidden(project, _paths(copy, "--cached", "--diff-filter=A", "HEAD"))
        return git(copy, "diff", "--cached", "--stat=100", "--summary", "HEAD") or "", left


def _answers(project: Project) -> dict[str, str]:
    answers: dict[str, str] = yaml.safe_load((project.folder / ANSWERS_FILE).read_bytes())
    return answers


def _check_answers_kept(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Check that the new version accepts the recorded answers: copier silently takes its default where it does not."""
    for name, answer in before.items():
        if not name.startswith("_") and name != "pattern" and after.get(name, answer) != answer:
            raise UsageError(
                f"{ANSWERS_FILE}: {name}: the template's new version no longer takes {answer!r}. "
                f"Nothing has changed. Give it another answer with `copier update --data {name}=…`."
            )


def _check_nothing_hidden(project: Project, added: Iterable[str]) -> None:
    """Check that no new file replaces one that git ignores, because git could not restore it."""
    for path in added:
        if (project.top / path).exists():
            raise UsageError(
                f"{path}: the template brings a file of this name, and yours would be lost, because git ignores it. "
                "Rename yours, or commit it with `git add --force`."
            )


def update(project: Project, version: str) -> Left:
    """Update `project` to `version`, with the defaults for questions that are new.

    Raises:
        UsageError: the template cannot be read, or does not take the project's answers.
    """
    from copier import run_update  # slow to import, and only needed here

    before = _answers(project)
    yours = _yours(project)
    with _errors_of_copier(project):
        run_update(project.folder, vcs_ref=version, defaults=True, overwrite=True, quiet=True)
    kept = _keep_what_was_changed(project, before, yours)
    return Left((*_paths(project.folder, "--diff-filter=U"), *_rejected(project)), kept)


def _rejected(project: Project) -> tuple[str, ...]:
    """Files with the user's changes that git could not apply: conflicts without marks."""
    names = git(project.folder, "ls-files", "--others", "--full-name", "-z", "--", "*.rej") or ""
    return tuple(filter(None, names.split("\0")))


def _yours(project: Project) -> tuple[str, ...]:
    """The team's own files, by `[tool.toolkit]` in the project's pyproject.toml; paths from the top on."""
    try:
        settings = tomllib.loads((project.folder / "pyproject.toml").read_text("utf-8"))
        patterns = settings["tool"]["toolkit"]["yours"]
    except (OSError, ValueError, KeyError):
        return ()  # A project from a version without this setting.
    names = git(project.folder, "ls-files", "--full-name", "-z", "--", *patterns) or ""
    return tuple(filter(None, names.split("\0")))


def _keep_what_was_changed(project: Project, answers: dict[str, str], yours: Iterable[str]) -> tuple[str, ...]:
    """Put back the user's changes to their own files, and to files that the update removed; returns the latter."""
    removed = _paths(project.folder, "--diff-filter=D", "HEAD")
    touched = {*removed, *set(yours).intersection(_paths(project.folder, "HEAD"))}
    if not touched:
        return ()
    from copier import run_copy

    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as temporary:
        made = Path(temporary).resolve()
        folder = made / project.folder.relative_to(project.top)
        with _errors_of_copier(project):
            run_copy(answers["_src_path"], folder, answers, vcs_ref=answers["_commit"], defaults=True, quiet=True)
        changed = [path for path in sorted(touched) if not _is_as_made(project, made, path)]
    for path in changed:
        git(project.top, "checkout", "HEAD", "--", path)
        (project.top / f"{path}.rej").unlink(missing_ok=True)
    return tuple(path for path in removed if path in changed)


def _is_as_made(project: Project, made: Path, path: str) -> bool:
    as_made = git(project.top, "hash-object", f"--path={path}", str(made / path))
    return as_made == git(project.top, "rev-parse", f"HEAD:{path}")


def _paths(folder: Path, *arguments: str) -> tuple[str, ...]:
    """The paths in `folder` that `git diff` names, each from the top of the repository on."""
    # Separated by zero bytes, since names may hold anything else.
    names = git(folder, "diff", "--name-only", "--no-renames", "-z", *arguments, "--", ".") or ""
    return tuple(dict.fromkeys(filter(None, names.split("\0"))))


@contextmanager
def _errors_of_copier(project: Project) -> Iterator[None]:
    """Turn copier's errors into ours, which name the fix."""
    from copier.errors import CopierError
    from plumbum import ProcessExecutionError

    try:
        with for_copier(project.folder):
            yield
    except ValueError as error:
        raise UsageError(f"{ANSWERS_FILE}: {str(error).rstrip('.')}. Correct it there, and commit it.") from error
    except (CopierError, ProcessExecutionError) as error:
        raise UsageError(_unreadable(str(error))) from error


def _unreadable(output: str) -> str:
    lines = [line.strip().removeprefix("| ") for line in output.splitlines() if line.strip()] or ["git says nothing"]
    reason = next((line for line in lines if REASON.search(line)), lines[-1])
    return f"The template cannot be read: {reason.rstrip('.')}. See `_src_path` and `_commit` in {ANSWERS_FILE}."
