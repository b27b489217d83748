"""Creates a project: finds the templates, and renders one of them into a folder, all of it or nothing."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .catalogue import Catalogue, load
from .errors import UsageError
from .git import address_for_git, git, top_level, version_of, without_credentials

DISTRIBUTION = "serverless-templates"


@dataclass(frozen=True)
class Templates:
    """The built templates: the folder they are in, what they offer, and the version a project of theirs remembers.

    `commit` is empty when it is not known; such a project cannot be updated.
    """

    root: Path
    catalogue: Catalogue
    commit: str
    source: str


def find() -> Templates:
    """The templates that came with this installation, or those of the checkout that it runs from.

    Raises:
        BuildError: the checkout's sources are broken.
    """
    package = Path(__file__).resolve().parent
    installed = package / "data"
    if installed.is_dir():
        catalogue = load(installed)
        return Templates(installed, catalogue, *_origin_of_installation(catalogue.source))
    checkout = package.parent
    return Templates(checkout, load(checkout), _commit(checkout), str(checkout))


def _origin_of_installation(published: str) -> tuple[str, str]:
    """The commit that this installation was made from, and an address of templates that has it."""
    installed = metadata.distribution(DISTRIBUTION)
    version = _version_or_commit(installed.version)
    # pip writes down what it took from git (PEP 610).
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("vcs_info", {}).get("vcs") == "git":
        commit: str = origin["vcs_info"]["commit_id"]
        return (version if version.startswith("v") else commit), _for_copier(without_credentials(origin["url"]))
    # A fork that did not change `source`: the published templates do not have its versions.
    built_from = (Path(__file__).parent / "data/origin.txt").read_text("utf-8").strip()
    return version, published if _place(built_from) in ("", _place(published)) else _for_copier(built_from)


def _for_copier(address: str) -> str:
    # Copier knows by the ending, by this prefix and by ssh's usual user that an address is git's.
    return address if address.endswith(".git") or address.startswith("git@") else f"git+{address}"


def _place(address: str) -> str:
    """The host and path of `address`, the same however it is written: `gh:org/x`, over HTTP or over ssh."""
    host_and_path = re.sub(r"^(?:[\w+.-]+://)?(?:[^/@]*@)?", "", address_for_git(address))
    return re.sub(r":\d*/*|/+", "/", host_and_path, count=1).rstrip("/").removesuffix(".git").lower()


def _version_or_commit(version: str) -> str:
    """The tag or commit that a version by setuptools-scm was made from; empty when that is not certain."""
    if re.fullmatch(r"\d+\.\d+\.\d+", version):
        return f"v{version}"
    # A date after the commit means that there were uncommitted changes.
    commit = re.search(r"[+.]g([0-9a-f]{7,40})$", version)
    return commit[1] if commit else ""


def _commit(checkout: Path) -> str:
    # An update starts from the commit that the project remembers. With changes on top, that would be a wrong one.
    if top_level(checkout) != checkout or git(checkout, "status", "--porcelain", "--", "built") != "":
        return ""
    return version_of(checkout)


def check_destination(destination: Path) -> None:
    """See that a project can be made at `destination`.

    Raises:
        UsageError: something is there already, or something is in the way.
    """
    try:
        if destination.is_dir():
            # A repository without files is where a project begins; `.git` is a file in a worktree or submodule.
            if any(path.name != ".git" for path in destination.iterdir()):
                raise UsageError(f"{destination}: the folder is not empty. Name one that is not there yet.")
            return
        if destination.exists() or destination.is_symlink():
            raise UsageError(f"{destination}: a file of that name is there. Name a folder that is not there yet.")
        for parent in destination.absolute().parents:
            if parent.is_dir():
                return
            if parent.exists():
                raise UsageError(f"{destination}: {parent} is not a folder. Name a folder that can be made.")
    except OSError as error:
        raise UsageError(f"{destination}: {error.strerror}. Name a folder that can be made.") from error


def create(templates: Templates, pattern: str, destination: Path, answers: Mapping[str, str]) -> None:
    """Make a project of `pattern` at exactly `destination`. When it fails, nothing is left behind.

    `answers` are complete and follow the rules: they hold nothing that cookiecutter would evaluate.

    Raises:
        UsageError: `destination` is taken or cannot be written.
    """
    check_destination(destination)
    try:
        _create(templates, pattern, destination.absolute(), answers)
    except OSError as error:
        raise UsageError(f"{destination}: {error.strerror}. Name a folder that can be made.") from error


def _create(templates: Templates, pattern: str, destination: Path, answers: Mapping[str, str]) -> None:
    # On the same disk as the destination, so that the finished project only has to be renamed.
    beside = next(parent for parent in destination.parents if parent.is_dir())
    with tempfile.TemporaryDirectory(prefix=".serverless-templates-", dir=beside) as folder:
        project = _render(templates, pattern, Path(folder), answers)
        if destination.is_dir():
            # Perhaps somebody's current folder: fill it, rather than put another one in its place.
            for path in project.iterdir():
                path.rename(destination / path.name)
        else:
            destination.parent.mkdir(parents=True, exist_ok=True)
            project.rename(destination)


def _render(templates: Templates, pattern: str, folder: Path, answers: Mapping[str, str]) -> Path:
    # These, and not all of cookiecutter: its `main` imports what downloads templates, and has a say of the user's own
    # configuration. No hooks are needed: the answers are checked, and the origin is known. Slow to import, so here.
    from cookiecutter.generate import generate_context, generate_files
    from cookiecutter.prompt import prompt_for_config

    template = templates.root / "built" / pattern
    origin = {"__commit": templates.commit, "__src_path": templates.source}
    context = generate_context(str(template / "cookiecutter.json"), extra_context={**answers, **origin})
    context["cookiecutter"].update(prompt_for_config(context, no_input=True))
    project = Path(generate_files(str(template), context, str(folder), accept_hooks=False))
    # Installers leave compiled files beside the Python files of a template.
    for compiled in list(project.rglob("__pycache__")):
        shutil.rmtree(compiled)
    return project
