"""Releases made of today's sources: they change, add and remove files, ask something new, and rename."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import PATTERNS, commit, git, write_files
from serverless_templates.build import build, write

RELEASES = ("v0.2.0", "v1.0.0")
COMMON = "templates/common/files"


def replace(path: Path, *pairs: tuple[str, str]) -> None:
    """Change a file as a person would; an AssertionError when what is to be changed is not there, or is there twice."""
    text = path.read_text("utf-8")
    for old, new in pairs:
        assert text.count(old) == 1, f"{path}: {old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


# What maintainers do

NEW_QUESTION = """\
  - name: cost_centre
    help: Who pays
    type: text
    default: nobody
    rule: {matches: "[a-z]+", reason: a word, example: nobody}
"""


def more(root: Path) -> None:
    """A minor release: common files change, one is new, and a question is new."""
    replace(root / COMMON / "samconfig.toml", ('"LogRetentionDays=365"', '"LogRetentionDays=400"'))
    replace(root / COMMON / "template.yaml", ("# The stack, in AWS SAM.", "# All of the stack, in AWS SAM."))
    code = root / COMMON / "toolkit/runtime/environment.py"
    code.write_text('"""Better: ' + code.read_text("utf-8").removeprefix('"""'), "utf-8")
    write_files(root, {f"{COMMON}/docs/bill.md": "# Who pays\n\n{{ cookiecutter.cost_centre }}\n"})
    replace(root / "templates/catalogue.yaml", ("\n# From the problem", f"{NEW_QUESTION}\n# From the problem"))


def other(root: Path) -> None:
    """A major release: a file is gone, a question and every pattern have other names."""
    (root / COMMON / ".editorconfig").unlink()
    for path in (root / "templates").rglob("*"):
        if path.is_file() and b"cookiecutter.owner" in (content := path.read_bytes()):
            path.write_bytes(content.replace(b"cookiecutter.owner", b"cookiecutter.team"))
    replace(root / "templates/catalogue.yaml", ("- name: owner\n", "- name: team\n    renamed_from: [owner]\n"))

    for pattern in PATTERNS:
        folder = (root / "templates/patterns" / pattern).rename(root / f"templates/patterns/{pattern}-now")
        about = folder / "pattern.yaml"
        text = re.sub(rf"(instead: )({'|'.join(PATTERNS)})$", r"\1\2-now", about.read_text("utf-8"), flags=re.MULTILINE)
        about.write_text(f"{text}\nrenamed_from: [{pattern}]\n", "utf-8")
    catalogue = root / "templates/catalogue.yaml"  # whose chooser leads to them
    names = rf"(?m)^( +.+: )({'|'.join(PATTERNS)})$"
    catalogue.write_text(re.sub(names, r"\1\2-now", catalogue.read_text("utf-8")), "utf-8")


CHANGES: dict[str, Callable[[Path], None]] = dict(zip(RELEASES, (more, other), strict=True))


@pytest.fixture(scope="module")
def _releases(_templates: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("releases") / "templates"
    shutil.copytree(_templates, root)
    for tag, change in CHANGES.items():
        change(root)
        write(root, build(root))
        commit(root, tag=tag)
    git(root, "gc", "--quiet")
    return root


@pytest.fixture
def published(_releases: Path, tmp_path: Path) -> Path:
    """The templates at their first release; `publish` brings the others."""
    root = shutil.copytree(_releases, tmp_path / "published")
    git(root, "checkout", "--quiet", "v0.1.0")
    git(root, "tag", "--delete", *RELEASES)
    return root


@pytest.fixture
def publish(published: Path, _releases: Path) -> Callable[[str], None]:
    def _publish(tag: str) -> None:
        git(published, "tag", tag, git(_releases, "rev-parse", tag))

    return _publish
