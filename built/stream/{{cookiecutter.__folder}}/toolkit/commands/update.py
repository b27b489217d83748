"""`make update`: takes over changes of the template, with any git settings of the user."""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import yaml

# Settings of the user's that would change what copier makes of git's answers.
SETTINGS = {
    "apply.whitespace": "nowarn",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "diff.relative": "false",
    "merge.conflictStyle": "merge",
    # Otherwise copier does not see the conflicts that git left in `.rej` files.
    "status.showUntrackedFiles": "normal",
}


def environment(given: Mapping[str, str], excludes: str) -> dict[str, str]:
    """What copier and its git run in: settings given here come after those of the caller."""
    settings = SETTINGS | {"core.excludesFile": excludes}
    count = int(given.get("GIT_CONFIG_COUNT", "0"))
    added = {"GIT_CONFIG_COUNT": str(count + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start=count):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**given, **added}


def ignored() -> str:
    """What git ignores in this project, path by path, as an excludes file.

    The user's own core.excludesFile may have patterns that fit files of the template. In copier's
    repositories those would not be compared, and an edit of theirs would be lost.
    """
    ignoring = ("--others", "--ignored", "--exclude-standard", "--directory", "--full-name")
    paths = listed("ls-files", *ignoring, "-z")
    return "".join("/" + re.sub(r"([\\*?\[ ])", r"\\\1", path) + "\n" for path in paths)


def conflicts() -> list[str]:
    """Files that git has marked, and those that hold a change which it could not apply."""
    return [
        *listed("diff", "--name-only", "--relative", "--diff-filter=U", "-z", "--", "."),
        *listed("ls-files", "--others", "-z", "--", "*.rej"),
    ]


def listed(*arguments: str) -> list[str]:
    """The paths that a command of git lists, with `-z`."""
    paths = subprocess.check_output(["git", *arguments], encoding="utf-8").split("\0")
    return list(dict.fromkeys(filter(None, paths)))  # Git lists an unmerged file twice.


def yours() -> list[str]:
    """The files of yours, by `[tool.toolkit]` in pyproject.toml."""
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    return listed("ls-files", "-z", "--", *settings["tool"]["toolkit"]["yours"])


def put_back(paths: list[str], answers: dict[str, str], environ: Mapping[str, str]) -> None:
    """Put back those files that the update has changed and you had changed before it.

    Raises:
        CalledProcessError: the version that the project was made from cannot be read.
    """
    changed = listed("diff", "--name-only", "--relative", "-z", "HEAD", "--", ".")
    touched = sorted({*paths}.intersection(changed))
    if not touched:
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "answers.yml")
        # Names with an underscore are copier's own.
        data.write_text(yaml.safe_dump({k: v for k, v in answers.items() if k[0] != "_"}), "utf-8")
        made = Path(folder, "made")
        copier = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet"]
        copier += ["--vcs-ref", answers["_commit"], f"--data-file={data}", answers["_src_path"]]
        subprocess.run([*copier, str(made)], env=environ, check=True)
        edited = [path for path in touched if is_edited(path, made / path)]
    for path in edited:
        subprocess.check_call(["git", "checkout", "--quiet", "HEAD", "--", path])
        Path(f"{path}.rej").unlink(missing_ok=True)


def is_edited(path: str, made: Path) -> bool:
    """Whether a file was another one before the update than the template had made."""
    if not made.exists():
        return True
    # As git stores it: lines may end otherwise in a working copy.
    as_made = subprocess.check_output(["git", "hash-object", f"--path={path}", made])
    return as_made != subprocess.check_output(["git", "rev-parse", f"HEAD:./{path}"])


def main() -> int:
    """Run `copier update`; the exit code is 1 when conflicts are left."""
    arguments = sys.argv[1:]
    if not arguments and not sys.stdin.isatty():
        sys.stderr.write(
            "There is no terminal to ask questions on. `make update DEFAULTS=1` asks none: it "
            "keeps your answers, and takes the default for a question that is new.\n"
        )
        return 2
    if left := conflicts():
        sys.stderr.write(f"Left from an earlier update: {', '.join(left)}. Finish it first.\n")
        return 1
    paths, answers = yours(), yaml.safe_load(Path(".copier-answers.yml").read_text("utf-8"))
    copier = [sys.executable, "-m", "copier", "update", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        excludes = Path(folder) / "excludes"
        excludes.write_text(ignored(), "utf-8")
        environ = environment(os.environ, str(excludes))
        try:
            subprocess.run(copier, env=environ, check=True)
            put_back(paths, answers, environ)
        except subprocess.CalledProcessError as error:
            return error.returncode  # Copier or git has said why.
    if left := conflicts():
        sys.stderr.write(f"Solve the conflicts, and delete .rej files: {', '.join(left)}\n")
    return int(bool(left))
