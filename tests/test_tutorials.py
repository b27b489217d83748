"""The tutorials work as they are written: each change applies, and each check that a page names fails without it."""

import re
from pathlib import Path

import pytest
from helpers import WITHOUT_AWS, Bake, Make, assert_green, commit, run, run_python, write_files
from projects import ROOT

pytestmark = pytest.mark.long
PAGES = sorted((ROOT / "docs/tutorials").glob("*.md"))
# A command, or a change with the check that fails without it.
STEP = re.compile(
    r"(?:^Forgotten: `(?P<check>[^`]+)` fails\.\n\n)?^```(?P<kind>bash|diff)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def apply(project: Path, change: str, *options: str) -> None:
    write_files(project.parent, {"change.diff": change})
    assert_green(run("git", "apply", "--recount", *options, "../change.diff", cwd=project))


def passes(project: Path, *checks: str) -> bool:
    """Whether checks pass; false as well when one cannot be imported."""
    return run_python(project, "-m", "pytest", "-q", *checks).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_following_a_tutorial_leads_to_a_green_project(page: Path, bake: Bake, make: Make) -> None:
    project = commit(bake(page.stem))
    steps = re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]

    for step in steps:
        changes = []
        for found in STEP.finditer(step):
            if found["kind"] == "diff":
                apply(project, found["text"])
                changes.append((found["text"], found["check"]))
            elif found["text"].startswith("make "):
                assert_green(make(project, *found["text"].split()[1:]))
            else:
                assert_green(run("sh", "-c", found["text"], cwd=project))
        commit(project)
        changes = [(change, check) for change, check in changes if check]
        assert passes(project, "tests/unit", *dict.fromkeys(check for _, check in changes)), step
        for change, check in changes:
            apply(project, change, "--reverse")
            assert not passes(project, check), f"{page.name}: {step.splitlines()[0]}: {check} passes without its change"
            apply(project, change)
        assert run("git", "-C", project, "status", "--porcelain").stdout == ""

    assert_green(make(project, "lint"))
    assert_green(run_python(project, "-m", "pytest", "-q", *WITHOUT_AWS))
