"""The same answers give the same project, byte for byte, whichever way it is created."""

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from helpers import CATALOGUE, PATTERNS, PROOF, ROOT, answers, comparable, git, run
from jinja2_ansible_filters.core_filters import regex_replace
from serverless_templates.git import DESCRIBED, SECRETS, without_credentials
from ways import UNUSUAL, WAYS, Request, command_line, complete, create

README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def expected(templates: Path, tmp_path: Path) -> Callable[[str, dict[str, str]], dict[str, tuple[bytes, bool]]]:
    """The project that `serverless-templates new` creates, which the other ways are held against."""

    @functools.cache
    def _expected(pattern: str, given: tuple[tuple[str, str], ...]) -> dict[str, tuple[bytes, bool]]:
        return comparable(create(command_line, Request(templates, pattern, dict(given), tmp_path / "expected")))

    return lambda pattern, given: _expected(pattern, tuple(given.items()))


@pytest.fixture
def request_(templates: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Request]:
    def _request(way: str, pattern: str, given: dict[str, str]) -> Request:
        sam = request.getfixturevalue("sam") if way == "sam init" else ""
        return Request(templates, pattern, given, tmp_path / "output", sam)

    return _request


# Both engines for each pattern; where a tool finds the template is the same for all. `make prove-input` tries all.
ENGINES = ("cookiecutter --directory", "copier copy")
EACH_WAY = [(pattern, way) for pattern in PATTERNS for way in (WAYS if PROOF or pattern == PATTERNS[0] else ENGINES)]


@pytest.mark.parametrize(("pattern", "way"), EACH_WAY)
def test_unusual_answers_give_the_same_project(pattern: str, way: str, expected, request_) -> None:
    project = create(WAYS[way], request_(way, pattern, UNUSUAL))

    assert comparable(project) == expected(pattern, UNUSUAL)
    assert answers(project).items() >= {"pattern": pattern, **complete(pattern, UNUSUAL)}.items()


@pytest.mark.parametrize("way", ["cookiecutter --directory", "copier copy", "cookiecutter menu"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_defaults_give_the_same_project(pattern: str, way: str, expected, request_) -> None:
    project = create(WAYS[way], request_(way, pattern, {}))

    assert comparable(project) == expected(pattern, {})
    assert answers(project).items() >= {"pattern": pattern, **complete(pattern, {})}.items()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_has_a_name_and_a_purpose_of_its_own(pattern: str) -> None:
    others = [complete(other, {}) for other in PATTERNS if other != pattern]

    for name in ("project_name", "project_slug", "description"):
        assert complete(pattern, {})[name] not in [other[name] for other in others]


def test_cruft_without_a_pattern_says_that_there_is_no_template_and_writes_nothing(
    templates: Path, tmp_path: Path
) -> None:
    # Cruft stops before any hook of a template could say more; the README has the remedy.
    done = run("cruft", "create", "--no-input", "--output-dir", tmp_path / "output", templates)

    assert done.returncode != 0
    assert "Was unable to locate a Cookiecutter template" in " ".join(done.stderr.split())
    assert not (tmp_path / "output").exists()
    assert "`--directory`" in next(line for line in README.splitlines() if "Was unable to locate" in line)


@pytest.mark.parametrize("quiet", [[], ["--quiet"]], ids=["", "quiet"])
def test_copier_without_a_pattern_says_in_a_line_what_is_missing(
    quiet: list[str], templates: Path, tmp_path: Path
) -> None:
    done = run("copier", "copy", *quiet, "--defaults", templates, tmp_path / "project")

    assert done.returncode == 1
    assert f"Add --data pattern=NAME, where NAME is one of: {', '.join(PATTERNS)}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "project").exists()


def test_copier_asks_for_the_pattern_on_a_terminal(templates: Path, tmp_path: Path) -> None:
    done = run("copier", "copy", templates, tmp_path / "project")

    assert "Interactive session required" in done.stderr
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("way", "commit", "source"),
    [
        ("cookiecutter --directory", "v0.1.0", "{templates}"),
        ("cookiecutter path", "v0.1.0", "{templates}"),
        ("cookiecutter relative path", "v0.1.0", "{templates}"),
        ("cookiecutter zip", "v0.1.0", CATALOGUE.source),
        ("cookiecutter git url", "v0.1.0", "file://{output}/bare.git"),
        ("cookiecutter menu", "v0.1.0", "{templates}"),
        ("copier copy", "v0.1.0", "{templates}"),
        ("copier recopy", "v0.1.0", "{templates}"),
        ("cruft create", "{commit}", "{templates}"),
        ("sam init", "v0.1.0", "{templates}"),
        ("serverless-templates new", "v0.1.0", "{templates}"),
    ],
)
def test_a_project_remembers_where_it_came_from(way: str, commit: str, source: str, request_, templates: Path) -> None:
    project = create(WAYS[way], request_(way, PATTERNS[0], {}))

    known = {"templates": templates, "output": project.parent.parent, "commit": git(templates, "rev-parse", "HEAD")}
    assert answers(project)["_commit"] == commit.format(**known)
    assert answers(project)["_src_path"] == source.format(**known)


ADDRESSES = {
    "https://bot:secret@example.com/t.git": "https://example.com/t.git",
    "https://secret@example.com/t.git": "https://example.com/t.git",
    "HTTPS://bot:se@cret@example.com/t.git": "HTTPS://example.com/t.git",
    "git+https://bot:secret@example.com/t.git": "git+https://example.com/t.git",
    "ftp://bot:secret@example.com/t.git": "ftp://example.com/t.git",
    "ssh://bot:secret@example.com:22/t.git": "ssh://bot@example.com:22/t.git",
    "git+ssh://bot:se:cret@example.com/t.git": "git+ssh://bot@example.com/t.git",
    "ssh://git@example.com/t.git": "ssh://git@example.com/t.git",
    "https://example.com/@org/t.git": "https://example.com/@org/t.git",
    "https://example.com?user=a@b": "https://example.com?user=a@b",
    "git@example.com:org/t.git": "git@example.com:org/t.git",
    "gh:org/t": "gh:org/t",
    "/home/a@b/t": "/home/a@b/t",
    "C:\\a@b\\t": "C:\\a@b\\t",
}


@pytest.mark.parametrize(("address", "kept"), ADDRESSES.items())
def test_no_secret_of_an_address_is_kept(address: str, kept: str) -> None:
    """In the command and in cookiecutter's hook, and by copier's filter."""
    by_filter = functools.reduce(lambda text, rule: regex_replace(text, *rule), SECRETS, address)

    assert without_credentials(address) == kept
    assert by_filter == kept


def test_the_rules_for_versions_and_addresses_have_one_source(templates: Path) -> None:
    copier = yaml.safe_load((templates / "copier.yml").read_text("utf-8"))["cookiecutter"]["default"]
    written = copier.replace("\\\\", "\\")  # as a literal of Jinja

    for rule in (DESCRIBED, *(secret for secret, _ in SECRETS)):
        assert rule in written
    for pattern in PATTERNS:
        hook = (templates / f"built/{pattern}/hooks/post_gen_project.py").read_text("utf-8")
        (known,) = re.findall(r'(?s)SECRETS: .*? = json.loads\(r"""(.*?)"""\)', hook)
        assert json.loads(known) == [list(rule) for rule in SECRETS]


def test_the_table_above_has_every_way() -> None:
    (rows,) = (mark for mark in test_a_project_remembers_where_it_came_from.pytestmark if mark.name == "parametrize")

    assert {way for way, _, _ in rows.args[1]} == WAYS.keys()
