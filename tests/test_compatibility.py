"""What worked with the last release works with the next, or the next is a major version."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from helpers import MINIMAL_SOURCES, ROOT, commit, git, run, write_files
from serverless_templates.catalogue import load
from serverless_templates.compatibility import broken, may_break
from serverless_templates.errors import BuildError

CATALOGUE = "templates/catalogue.yaml"
PATTERNS = "templates/patterns"
FIRST = f"{PATTERNS}/first/pattern.yaml"


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text("utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), "utf-8")


def rename_pattern(root: Path) -> None:
    (root / PATTERNS / "first").rename(root / PATTERNS / "one")


def rename_pattern_and_say_so(root: Path) -> None:
    rename_pattern(root)
    edit(root, f"{PATTERNS}/one/pattern.yaml", "[former]", "[first, former]")


INCOMPATIBLE: dict[str, tuple[Callable[[Path], None], str]] = {
    "pattern gone": (rename_pattern, "The pattern first is gone. When it has another name"),
    "pattern renamed": (rename_pattern_and_say_so, "The pattern first is called one"),
    "former name of a pattern forgotten": (
        lambda root: edit(root, FIRST, "renamed_from: [former]\n", ""),
        "The pattern first is no longer `renamed_from` former",
    ),
    "question gone": (
        lambda root: edit(root, CATALOGUE, "- name: size", "- name: extent"),
        "The question size is gone. When it has another name",
    ),
    "question renamed": (
        lambda root: edit(root, CATALOGUE, "- name: size", "- name: extent\n    renamed_from: [size]"),
        "The question size is called extent",
    ),
    "former name of a question forgotten": (
        lambda root: edit(root, CATALOGUE, "    renamed_from: [short]\n", ""),
        "The question project_slug is no longer `renamed_from` short",
    ),
    "choice gone": (
        lambda root: edit(root, CATALOGUE, "[small, large]", "[small]"),
        "The question size no longer takes 'large'",
    ),
    "longest answer shorter": (
        lambda root: edit(root, CATALOGUE, "{2,29}", "{2,19}"),
        "The question project_slug no longer takes",
    ),
    "character gone": (
        lambda root: edit(root, CATALOGUE, "[a-z0-9-]{2", "[a-y0-9-]{2"),
        "The question project_slug no longer takes 'some-namze'",
    ),
}
COMPATIBLE: dict[str, Callable[[Path], None]] = {
    "nothing": lambda _: None,
    "a pattern more": lambda root: write_files(root, {f"{PATTERNS}/second/pattern.yaml": MINIMAL_SOURCES[FIRST]}),
    "a choice more": lambda root: edit(root, CATALOGUE, "[small, large]", "[small, large, huge]"),
    "a rule that takes more": lambda root: edit(root, CATALOGUE, "{2,29}", "{2,39}"),
    "another default and other words": lambda root: edit(root, CATALOGUE, "default: small", "default: large"),
    "a question more": lambda root: edit(
        root,
        CATALOGUE,
        "computed:",
        "  - {name: colour, help: Colour, type: choice, choices: [red], default: red}\ncomputed:",
    ),
}


@pytest.fixture
def released(sources: Path) -> Path:
    """Templates at their release v1.0.0, with names of before."""
    edit(sources, FIRST, "parts:", "renamed_from: [former]\nparts:")
    edit(sources, CATALOGUE, "- name: project_slug\n", "- name: project_slug\n    renamed_from: [short]\n")
    return commit(sources, tag="v1.0.0")


def compare(root: Path, version: str) -> CompletedProcess[str]:
    return run("python", "-m", "serverless_templates.compatibility", "--root", root, "--version", version)


@pytest.mark.parametrize(("change", "sentence"), INCOMPATIBLE.values(), ids=INCOMPATIBLE)
def test_breaking_changes_are_reported(change: Callable[[Path], None], sentence: str, released: Path) -> None:
    before = load(released)
    change(released)

    (found,) = broken(before, load(released))

    assert found.startswith(sentence)


@pytest.mark.parametrize("change", COMPATIBLE.values(), ids=COMPATIBLE)
def test_compatible_changes_pass(change: Callable[[Path], None], released: Path) -> None:
    before = load(released)
    change(released)

    assert broken(before, load(released)) == []


def test_it_fails_unless_the_version_may_break_something(released: Path) -> None:
    edit(released, CATALOGUE, "[small, large]", "[small]")

    minor, major = compare(released, "1.1.0"), compare(released, "2.0.0")

    assert (minor.returncode, major.returncode) == (1, 0)
    for done in (minor, major):
        assert "The question size no longer takes 'large'" in done.stderr
    assert "this asks for a new major version, and this is 1.1.0" in minor.stderr


@pytest.mark.parametrize(
    ("old", "new", "may"),
    [
        ("1.0.0", "1.1.0", False),
        ("1.9.0", "2.0.0", True),
        ("1.9.0", "10.0.0", True),
        ("0.1.0", "0.1.1", False),
        ("0.1.0", "0.2.0", True),
        ("0.9.0", "1.0.0", True),
    ],
)
def test_which_version_may_break_something(old: str, new: str, may: bool) -> None:  # noqa: FBT001 - a row of the table
    assert may_break(old, new) is may


def test_without_a_release_it_says_that_nothing_was_compared(released: Path) -> None:
    git(released, "tag", "--delete", "v1.0.0")

    done = compare(released, "1.0.0")

    assert done.returncode == 0
    assert "Nothing was compared" in done.stdout


def test_a_clone_that_lacks_the_last_release_is_an_error(released: Path, tmp_path: Path) -> None:
    commit(released)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{released}", "shallow")

    done = compare(tmp_path / "shallow", "1.0.0")

    assert done.returncode == 1
    assert "git fetch --unshallow --tags" in done.stderr


def test_ci_has_every_tag_to_compare_with() -> None:
    assert "fetch-depth: 0" in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert "serverless_templates.compatibility" in (ROOT / "Makefile").read_text("utf-8")


# Names of before are declared in the sources


def test_a_former_name_leads_to_one_thing(sources: Path) -> None:
    edit(sources, CATALOGUE, "- name: size\n", "- name: size\n    renamed_from: [project_slug]\n")

    with pytest.raises(BuildError, match="size: renamed_from: project_slug is a name of project_slug already"):
        load(sources)
