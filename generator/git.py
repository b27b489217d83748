"""Asks git about a repository, by rules that are the same whatever the user's settings are."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# The only rules for versions and passwords: the build copies them into cookiecutter's hook and `copier.yml`. A test
# compares `pyproject.toml` and `.git_archival.txt`, which are not built, with them.
#
# A version is a tag `v1.2.3`. `v1` and `latest` move, and copier does not update to pre-releases.
VERSION_TAG = re.compile(r"v\d+\.\d+\.\d+")
# The same for git, whose patterns cannot say "digits only": the excluded ones have something else, or too many parts.
DESCRIBE = (
    "describe",
    "--tags",
    "--match=v[0-9]*.[0-9]*.[0-9]*",
    "--exclude=*[!v0-9.]*",
    "--exclude=v*v*",
    "--exclude=*.*.*.*",
)
# The output of `git describe` for a commit at a version, or after one.
DESCRIBED = rf"{VERSION_TAG.pattern}(?:-\d+-g[0-9a-f]+)?"
# What is a secret in an address, and what is kept of it, as both Python and copier replace it: the whole user part,
# whose name may be a token; for ssh, which needs a user name, the password only.
SECRETS = (
    (r"^(?!(?:\w+\+)?ssh://)(\w[\w+.-]*://)[^/?#]*@", r"\1"),
    (r"^((?:\w+\+)?ssh://[^/?#:@]*):[^/?#]*@", r"\1@"),
)
# Addresses that copier shortens.
SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
# What git sets in its own hooks and aliases, and would make it look at another repository: the list is
# `git rev-parse --local-env-vars`, without the settings that `git -c` passes on.
OF_ANOTHER_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
# Settings of the user that would change what an update does. A project's toolkit/commands/update.py has the same.
SETTINGS = {
    "apply.whitespace": "nowarn",  # `error` refuses the user's own changes
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "diff.relative": "false",
    "merge.conflictStyle": "merge",
    "status.showUntrackedFiles": "normal",  # with `no`, copier does not see the conflicts that git left in `.rej` files
}


def environment(given: Mapping[str, str] = os.environ, settings: Mapping[str, str] = SETTINGS) -> dict[str, str]:
    """The environment for git, without what points it at another repository. Keeps the user's settings for access."""
    kept = {name: value for name, value in given.items() if name not in OF_ANOTHER_REPOSITORY}
    count = int(kept.get("GIT_CONFIG_COUNT", "0"))
    for number, (key, value) in enumerate(settings.items(), start=count):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return kept | {"GIT_CONFIG_COUNT": str(count + len(settings))}


@contextmanager
def for_copier(project: Path) -> Iterator[None]:
    """Give the git that copier runs in this process that environment.

    Copier compares versions of the template in repositories of its own, where a pattern of the user's
    `core.excludesFile` would hide files of the template: an edit of theirs would be lost. So git ignores
    there what it ignores in the project now, file by file.
    """
    from plumbum import local  # copier's way to run programs; it copied the environment when it was imported

    with tempfile.TemporaryDirectory() as folder:
        excludes = Path(folder) / "excludes"
        excludes.write_text("".join(_ignored(project)), "utf-8", errors="surrogateescape")
        wanted = environment(local.env.getdict(), SETTINGS | {"core.excludesFile": str(excludes)})
        with local.env():
            local.env.clear()
            local.env.update(wanted)
            yield


def _ignored(project: Path) -> Iterator[str]:
    """What git ignores in a project, as lines of an excludes file: paths from the repository's top."""
    listing = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "--full-name", "-z")
    for path in run(project, *listing).stdout.split("\0"):
        if path:
            yield "/" + re.sub(r"([\\*?\[ ])", r"\\\1", path) + "\n"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in `folder`; exit code 127 when git is not installed."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        # A file's name may contain bytes that are not text.
        return subprocess.run(  # noqa: S603
            command, capture_output=True, encoding="utf-8", errors="surrogateescape", env=environment(), check=False
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"fatal: git cannot be run: {error}\n")


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints for a command in `folder`; None when git fails or is not installed."""
    done = run(folder, *arguments)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def top_level(folder: Path) -> Path | None:
    """The top folder of the repository that `folder` is in; None outside of any."""
    top = git(folder, "rev-parse", "--show-toplevel")
    return Path(top).resolve() if top else None


def version_of(folder: Path, commit: str = "HEAD") -> str:
    """What a project records for a commit: its version tag, `git describe`, or the commit; empty if unknown."""
    return git(folder, *DESCRIBE, "--always", commit) or ""


def address_for_git(source: str) -> str:
    """The address for git of an address for copier."""
    for short, address in SHORT.items():
        if source.startswith(short):
            return address + source.removeprefix(short).lstrip("/")
    source = source.removeprefix("git+")
    return str(Path(source).expanduser()) if source.startswith("~") else source


def without_credentials(address: str) -> str:
    """`address` without a password, and without the user's name where that may be a secret as well."""
    for secret, kept in SECRETS:
        address = re.sub(secret, kept, address)
    return address
