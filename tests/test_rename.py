"""`make rename`: the whole project has the team's noun, all its checks are green, and it still follows its template."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import (
    ANSWERS_FILE,
    NOUNS,
    PINS,
    PROOF,
    Bake,
    Make,
    answers,
    assert_green,
    commit,
    git,
    run_python,
    tree,
    write_files,
)
from releases import replace
from serverless_templates.build import build, write
from serverless_templates.update import find_project, update
from ways import JUDGES, UNUSUAL, Request, create

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Cell:
    """A project of a pattern, the noun that it gets, and which of its tests are run."""

    pattern: str
    noun: str
    plural: str
    tests: tuple[str, ...]
    answers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.pattern}-{self.noun}"


# Each pattern with the shortest noun and with the longest. Some begin with a vowel, some have a plural in `ies`, one an
# irregular one. All tests of each pattern run under the longest in test_generated.py, so here they need not.
QUICK = ("tests/unit", "tests/template")
CELLS = [
    Cell("api", "spy", "spies", QUICK, {"authentication": "JWT"}),
    Cell("api", "internationalization", "internationalizations", (), {}),
    Cell("queue", "ore", "ores", QUICK, UNUSUAL),
    Cell("queue", "counterrevolutionary", "counterrevolutionaries", (), {}),
    Cell("webhook", "fee", "fees", QUICK, {}),
    Cell("webhook", "internationalization", "internationalizations", (), {}),
    Cell("pub-sub", "ally", "allies", QUICK, {}),
    Cell("pub-sub", "counterrevolutionary", "counterrevolutionaries", (), {}),
    Cell("event-driven", "axe", "axes", QUICK, {}),
    Cell("event-driven", "internationalization", "internationalizations", (), {}),
    Cell("stream", "fox", "foxes", QUICK, {}),
    Cell("stream", "internationalization", "internationalizations", (), {}),
    Cell("scheduled", "bus", "buses", QUICK, {}),
    Cell("scheduled", "counterrevolutionary", "counterrevolutionaries", (), {}),
    Cell("saga", "man", "men", QUICK, {}),
    Cell("saga", "internationalization", "internationalizations", (), {}),
]


@pytest.fixture
def rename(make: Make) -> Callable[..., None]:
    """Renames in a project by its own `make rename`, and commits that."""

    def _rename(project: Path, old: str, new: str, plural: str, **others: str) -> None:
        variables = {"FROM": old, "TO": new, "PLURAL": plural} | others
        assert_green(make(project, "rename", *(f"{name}={value}" for name, value in variables.items())))
        commit(project)

    return _rename


def texts(project: Path) -> dict[str, str]:
    """The text of each file that git tracks, but for the toolkit and what it leaves alone."""
    names = git(project, "ls-files").splitlines()
    return {
        name: (project / name).read_text("utf-8")
        for name in names
        if not name.startswith(("toolkit/", ANSWERS_FILE, *PINS))
    }


def left_of(noun: str, project: Path) -> list[str]:
    """Lines that still have a noun, as a part of another word as well, without the project's own names."""
    found = []
    for name, text in texts(project).items():
        rest = f"{name}\n{text}"
        # The longest first: one answer may be a part of another one.
        for answer in sorted(filter(None, answers(project).values()), key=len, reverse=True):
            rest = rest.replace(answer, "").replace(answer.replace("\\", "\\\\").replace('"', '\\"'), "")
        found += [f"{name}: {line}" for line in rest.splitlines() if noun in line.lower()]
    return found


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_renamed_project_has_its_noun_everywhere_and_is_green(
    cell: Cell,
    bake: Bake,
    make: Make,
    rename: Callable[..., None],
) -> None:
    project = commit(bake(cell.pattern, dict(cell.answers)))
    answered = (project / ANSWERS_FILE).read_bytes()
    names = answers(project)
    toolkit = tree(project / "toolkit")

    rename(project, NOUNS[cell.pattern], cell.noun, cell.plural)

    assert left_of(NOUNS[cell.pattern], project) == []
    wrong = "a" if cell.noun[0] in "aeiou" else "an"
    articles = re.compile(rf"\b{wrong}[\s_-]+(?:# )?[`'\"]?({cell.noun}|{cell.plural})", re.IGNORECASE)
    assert [found[0] for text in texts(project).values() for found in articles.finditer(text)] == []
    assert (project / ANSWERS_FILE).read_bytes() == answered
    assert (
        (project / "README.md").read_text("utf-8").startswith(f"# {names['project_name']}\n\n{names['description']}.")
    )
    assert f'stack_name = "{names["project_slug"]}-dev"' in (project / "samconfig.toml").read_text("utf-8")
    assert tree(project / "toolkit") == toolkit
    assert_green(make(project, "lint"))
    if cell.tests:
        assert_green(run_python(project, "-m", "pytest", "-q", *cell.tests))


def test_each_pattern_is_renamed() -> None:
    assert {cell.pattern for cell in CELLS} == NOUNS.keys()


def test_renamed_back_it_is_as_before(bake: Bake, rename: Callable[..., None]) -> None:
    """Nothing is lost on the way, with an irregular plural in between."""
    project = commit(bake("queue"))
    before = texts(project)

    rename(project, "order", "actor", "actora")
    between = texts(project)
    rename(project, "actor", "order", "orders", FROM_PLURAL="actora")

    assert between != before
    assert texts(project) == before


# An update

EXAMPLE = "v1.1.0"
MARKED = re.compile(r"<<<<<<< before updating\n(.*?)=======\n.*?>>>>>>> after updating\n", re.DOTALL)


def change_the_example(root: Path, pattern: str, noun: str) -> None:
    """A release that changes the example: its domain, a line with its noun in template.yaml, and one beside it."""
    folder = root / f"templates/patterns/{pattern}-now"
    # One has another name in a renamed project, one has not.
    for path in (f"files/src/service/domain/{noun}s.py", "files/scripts/demo.py"):
        text = (folder / path).read_text("utf-8")
        (folder / path).write_text(text.replace('"""', '"""Better: ', 1), "utf-8")
    resources = folder / "fragments/template.resources.yaml"
    lines = resources.read_text("utf-8").splitlines(keepends=True)
    [first, *_] = [number for number, line in enumerate(lines) if f"/{noun}s" in line]
    lines[first] = lines[first].replace("\n", " # better\n")
    resources.write_text("".join(lines), "utf-8")
    replace(root / "templates/common/files/template.yaml", ("# All of the stack", "# The whole stack"))
    write_files(root, {"templates/common/files/docs/example.md": "The demo.\n"})
    write(root, build(root))
    commit(root, tag=EXAMPLE)


# `make prove-updates` follows all of them.
@pytest.mark.parametrize("pattern", NOUNS if PROOF else list(NOUNS)[:1])
def test_a_renamed_project_follows_its_template(
    pattern: str,
    published: Path,
    publish: Callable[[str], None],
    rename: Callable[..., None],
    tmp_path: Path,
) -> None:
    project = commit(create(JUDGES["cookiecutter"], Request(published, pattern, {}, tmp_path / "made")))
    rename(project, NOUNS[pattern], "booking", "bookings")
    mine = [tree(project / folder) for folder in ("src", "tests", "scripts", "events")]
    for tag in ("v0.2.0", "v1.0.0"):
        publish(tag)
        assert update(find_project(project), tag).conflicts == ()
        commit(project)
    git(published, "checkout", "--quiet", "v1.0.0")
    change_the_example(published, pattern, NOUNS[pattern])

    left = update(find_project(project), EXAMPLE)

    # Both have changed one line of a shared file; what is the team's own stays, under its own names.
    assert left.conflicts == ("template.yaml",)
    template = project / "template.yaml"
    solved, count = MARKED.subn(r"\1", template.read_text("utf-8"))
    assert count == 1
    template.write_text(solved, "utf-8")
    commit(project)
    assert [tree(project / folder) for folder in ("src", "tests", "scripts", "events")] == mine
    assert [line for line in left_of(NOUNS[pattern], project) if not line.startswith(("README.md", "pyproject"))] == []
    assert solved.startswith("# The whole stack")
    assert (project / "toolkit/runtime/environment.py").read_text("utf-8").startswith('"""Better')
    assert (project / "docs/example.md").read_text("utf-8") == "The demo.\n"
    assert_green(run_python(project, "-m", "pytest", "-q", "tests/unit"))
