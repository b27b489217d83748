"""The example's noun is only where the example is, so that a search for it finds what a team has to change."""

import re
from pathlib import Path

import pytest
from helpers import CATALOGUE, NOUNS, PINS
from projects import ROOT

ANYWHERE = "(?=)"
# As a part of a name: of a function, a table, a route, an event or a file.
IN_NAMES = r"(?<=[A-Za-z_/])"
# Where the noun may be, and what has to be before it.
PLACES = {
    r"src/service/(domain|handlers|adapters)/.+|src/service/(api|workflow)\.py": ANYWHERE,
    r"tests/(unit|template|e2e|smoke)/.+": ANYWHERE,
    r"events/.+|scripts/.+": ANYWHERE,
    r"openapi\.yaml|README\.md": ANYWHERE,
    r"docs/adding-a-\w+\.md": ANYWHERE,  # code to add to the example
    r"docs/adr/.+": ANYWHERE,  # the pattern's own, which the test below looks at
    r"template\.yaml": ANYWHERE,  # but for what operators see: the test below as well
    r"permissions\.yaml": r"(?<=/v1/POST/)|(?<=/v1/(?:GET/|PUT/))|(?<=/v1/DELETE/)",
    r"docs/(runbook|operations)\.md": IN_NAMES,
}
# What operators see of template.yaml.
OPERATORS = re.compile(r"\bAlarm(Name|Description):|\b(Metric(Name)?|Namespace|title|label)\b\"?:")


def project_of(pattern: str) -> Path:
    """The pattern's project with every variant in one, and without answers, which are the team's own words."""
    [project] = (ROOT / "built" / pattern).glob("*cookiecutter*/")
    return project


def occurrences(pattern: str) -> list[tuple[str, str, int]]:
    """Where the noun is, as a part of a longer word as well: the file, the line, and where in it."""
    word = re.compile(NOUNS[pattern], re.IGNORECASE)
    others = re.compile(r"\w*(?:rec|b)order\w*", re.IGNORECASE)  # words that only look alike
    paths = {path.relative_to(project_of(pattern)).as_posix(): path for path in project_of(pattern).rglob("*")}
    return [
        (name, line, match.start())
        for name, path in sorted(paths.items())
        if path.is_file() and not name.startswith(PINS)
        for line in others.sub(lambda other: "-" * len(other[0]), path.read_text("utf-8")).splitlines()
        for match in word.finditer(line)
    ]


def may_be(name: str, line: str, position: int) -> bool:
    return any(
        re.fullmatch(place, name) and re.compile(before).match(line, position) for place, before in PLACES.items()
    )


@pytest.mark.parametrize("pattern", NOUNS)
def test_the_noun_is_only_where_the_example_is(pattern: str) -> None:
    own_records = {path.name for path in (ROOT / f"templates/patterns/{pattern}/files/docs/adr").iterdir()}

    found = occurrences(pattern)

    assert [f"{name}: {line.strip()}" for name, line, start in found if not may_be(name, line, start)] == []
    records = {name.removeprefix("docs/adr/") for name, _, _ in found if name.startswith("docs/adr/")}
    assert records <= own_records
    # A function's name is the example's, and so are the names made of it.
    seen = [line.strip() for name, line, _ in found if name == "template.yaml" and OPERATORS.search(line)]
    assert [line for line in seen if not re.search(r'"FunctionName"|"TableName"', line)] == []


@pytest.mark.parametrize("pattern", NOUNS)
def test_only_files_of_the_example_are_named_after_it(pattern: str) -> None:
    names = [path.relative_to(project_of(pattern)).as_posix() for path in project_of(pattern).rglob("*")]
    named = [name for name in names if NOUNS[pattern] in name]

    assert named
    assert [name for name in named if not re.match(r"(src/service|tests|events)/", name)] == []


def test_each_place_is_needed() -> None:
    names = {name for pattern in NOUNS for name, _, _ in occurrences(pattern)}

    assert [place for place in PLACES if not any(re.fullmatch(place, name) for name in names)] == []


def test_each_complete_pattern_names_its_noun() -> None:
    complete = {name for name, pattern in CATALOGUE.patterns.items() if pattern.state == "complete"}

    assert complete <= NOUNS.keys()
