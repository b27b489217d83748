"""`make update`: takes over what changed in the template, whatever the user's git settings are."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

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
    listing = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory"]
    paths = subprocess.check_output([*listing, "--full-name", "-z"], encoding="utf-8").split("\0")
    return "".join("/" + re.sub(r"([\\*?\[ ])", r"\\\1", path) + "\n" for path in paths if path)


def conflicts() -> list[str]:
    """Files that git has marked, and those that hold a change which it could not apply."""
    marked = ["git", "diff", "--name-only", "--relative", "--diff-filter=U", "-z", "--", "."]
    rejected = ["git", "ls-files", "--others", "-z", "--", "*.rej"]
    return [
        name
        for command in (marked, rejected)
        for name in subprocess.check_output(command, encoding="utf-8").split("\0")
        if name
    ]


def main(arguments: list[str]) -> int:
    """Run `copier update`; the exit code is 1 when conflicts are left."""
    if not arguments and not sys.stdin.isatty():
        sys.stderr.write(
            "There is no terminal to ask questions on. `make update DEFAULTS=1` asks none: it "
            "keeps your answers, and takes the default for a question that is new.\n"
        )
        return 2
    if left := conflicts():
        sys.stderr.write(f"Left from an earlier update: {', '.join(left)}. Finish it first.\n")
        return 1
    copier = [sys.executable, "-m", "copier", "update", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        excludes = Path(folder) / "excludes"
        excludes.write_text(ignored(), "utf-8")
        done = subprocess.run(copier, env=environment(os.environ, str(excludes)), check=False)
    if done.returncode:
        return done.returncode
    if left := conflicts():
        sys.stderr.write(f"Solve the conflicts, and delete .rej files: {', '.join(left)}\n")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
