"""What this repository promises about itself."""

import re
import shutil
from pathlib import Path

import pytest
from helpers import CATALOGUE, ROOT, git, run

REQUIREMENTS = tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "requirements").glob("*.txt")))


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_requirement_is_pinned_with_hashes_and_none_names_a_place(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())

    assert [
        each for each in requirements if not re.match(r"[A-Za-z0-9._-]+==\S+ (?:; .+ )?\\\n +--hash=sha256:", each)
    ] == []
    assert "://" not in text
    assert not re.search(r"^(?:-|#)", text, re.MULTILINE)


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    shown = run("make", "-C", ROOT, "help").stdout

    assert [target for target in phony.split() if target != "python" and f"make {target} " not in shown] == []


def test_old_python_is_reported(tmp_path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    (tmp_path / "python3").chmod(0o755)

    done = run("make", "-C", ROOT, "python", f"PYTHON={tmp_path}/python3")

    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr


def test_the_page_about_the_local_aws_names_every_gap() -> None:
    page = (ROOT / "docs/local-aws.md").read_text("utf-8")
    gaps = {path.name for path in ROOT.glob("templates/**/local_aws/gaps/[!_]*.py")}

    assert set(re.findall(r"^\| `(\w+\.py)` \|", page, re.MULTILINE)) == gaps


def test_every_pattern_names_threats_of_its_own() -> None:
    assert [name for name, pattern in CATALOGUE.patterns.items() if not pattern.threats] == []


def test_no_file_is_a_link() -> None:
    """A link leads nowhere on another machine, and not every Windows can make one.

    Where a folder that git ignores has its name, git puts the link in the folder's place, without a word.
    """
    files = git(ROOT, "ls-files", "--stage").splitlines()

    assert files
    assert [file for file in files if file.startswith("120000 ")] == []


@pytest.mark.parametrize("made", [".venv-lint", "tests/tools/node_modules"])
def test_a_link_to_what_make_installs_is_ignored(tmp_path: Path, made: str) -> None:
    git(tmp_path, "init", "--quiet")
    shutil.copy(ROOT / ".gitignore", tmp_path)
    (tmp_path / made).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / made).symlink_to(tmp_path / "elsewhere")

    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all") == "?? .gitignore"
