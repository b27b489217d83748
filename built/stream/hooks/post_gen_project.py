"""Records where the project came from, so that `copier update` works on it, and says what to do next."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# `make build` puts the published address, the names of the programs, and the rules of `generator/git.py` for versions
# and passwords here, and cookiecutter what it knows: JSON in raw strings, never code.
PUBLISHED: str = json.loads(r""" "gh:org/serverless-templates" """)
PROGRAMS: list[str] = json.loads(r"""["toolkit/pin-requirements"]""")
DESCRIBE: list[str] = json.loads(r"""[
  "describe",
  "--tags",
  "--match=v[0-9]*.[0-9]*.[0-9]*",
  "--exclude=*[!v0-9.]*",
  "--exclude=v*v*",
  "--exclude=*.*.*.*"
]""")
SECRETS: list[tuple[str, str]] = json.loads(r"""[
  [
    "^(?!(?:\\w+\\+)?ssh://)(\\w[\\w+.-]*://)[^/?#]*@",
    "\\1"
  ],
  [
    "^((?:\\w+\\+)?ssh://[^/?#:@]*):[^/?#]*@",
    "\\1@"
  ]
]""")
CONTEXT: dict[str, str] = json.loads(r"""{{ cookiecutter|tojson }}""")

PROJECT = Path.cwd()


class Origin(NamedTuple):
    """Where a template was read from, and at which commit."""

    commit: str
    source: str


def origin() -> Origin | None:
    """Where this project's template came from; None when that is not certain.

    An update starts from the commit recorded here. A wrong one would make it go wrong silently, so none is better.
    """
    if "_commit" in CONTEXT:  # set by cruft
        return Origin(CONTEXT["_commit"], CONTEXT["_template"])
    template = template_folder()
    if template is None:
        return None
    return from_git(template) or from_archive(template)


def template_folder() -> Path | None:
    """The folder that holds this pattern's cookiecutter.json."""
    given = CONTEXT.get("_repo_dir", "")
    # A relative one counts from where cookiecutter was started, of which only the shell still knows.
    starts = (Path(os.environ.get("PWD", "")), Path(CONTEXT.get("_output_dir", "")))
    folders = (start / given for start in starts)
    return next((folder.resolve() for folder in folders if given and (folder / "cookiecutter.json").is_file()), None)


def from_git(template: Path) -> Origin | None:
    """What git knows about the template, if it is unchanged in a repository of its own."""
    top = git(template, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != template.parent.parent or git(template, "status", "--porcelain", "--", "."):
        return None
    commit = git(template, *DESCRIBE, "--always")
    return Origin(commit, git(template, "remote", "get-url", "origin") or top) if commit else None


def from_archive(template: Path) -> Origin | None:
    """What git wrote into the zip when it packed the template."""
    try:
        lines = (template.parent.parent / ".git_archival.txt").read_text("utf-8").splitlines()
    except OSError:
        return None
    packed = {name: value.strip() for name, _, value in (line.partition(":") for line in lines) if "$" not in value}
    commit = packed.get("describe-name") or packed.get("node")
    return Origin(commit, PUBLISHED) if commit else None


def git(folder: Path, *arguments: str) -> str:
    """What git answers; empty when it fails or is not there."""
    # Without the variables that git sets in its own hooks, which would make it look at another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)  # noqa: S603
    except OSError:
        return ""
    return done.stdout.strip()


def without_credentials(address: str) -> str:
    """`address` without a password, and without the user's name where that may be a secret as well."""
    for secret, kept in SECRETS:
        address = re.sub(secret, kept, address)
    return address


def record(found: Origin) -> None:
    """Put the origin below the first line of the answers file, which is a comment."""
    path = PROJECT / CONTEXT["__answers_file"]
    comment, rest = path.read_text("utf-8").split("\n", 1)
    values = {"_commit": found.commit, "_src_path": without_credentials(found.source)}
    lines = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    path.write_text(f"{comment}\n{lines}{rest}", encoding="utf-8", newline="\n")


for program in PROGRAMS:  # cookiecutter does not keep what can be run when it unpacks a zip
    path = PROJECT / program
    path.chmod(path.stat().st_mode | 0o111)
if not CONTEXT["__commit"]:  # given by the caller, it is in the answers file already
    if found := origin():
        record(found)
    else:
        sys.stderr.write("The template's version is not known, so `copier update` will not work on this project.\n")
sys.stdout.write(f"\nNext:\n\n  cd {PROJECT.name}\n  make test\n  make help\n\n")
