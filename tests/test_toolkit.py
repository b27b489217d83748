"""The toolkit that projects get: its own tests, its style and its types, each layer once, in a project that has it."""

import shutil
import tomllib
from pathlib import Path

import pytest
from helpers import CATALOGUE, PATTERNS, Bake, assert_green, commit, git, run, run_python
from projects import ROOT, TOOLS
from serverless_templates.sources import layers_of

# A project's own settings leave the toolkit out.
MYPY = """\
[mypy]
strict = True
python_version = 3.11
mypy_path = src:.
explicit_package_bases = True

[mypy-hypercorn.*,ministack.*,samcli.*,samtranslator.*,trustme]
ignore_missing_imports = True
follow_imports = skip
"""
RUFF = (
    'extend-exclude = [".aws-sam"]',
    'lint.extend-per-file-ignores = {"toolkit/*" = ["ARG001", "S101", "S310", "S603", "S607", "T20"]}',
)


def first_patterns() -> dict[str, list[Path]]:
    """For each pattern, the layers with tests that no pattern before it has."""
    tested: set[Path] = set()
    found = {}
    for pattern in PATTERNS:
        layers = [layer for layer in layers_of(ROOT, CATALOGUE.patterns[pattern]) if layer not in tested]
        tested |= set(layers)
        found[pattern] = [layer / "toolkit_tests" for layer in layers if (layer / "toolkit_tests").is_dir()]
    return {pattern: folders for pattern, folders in found.items() if folders}


FIRST = first_patterns()


def toolkit_folders(project: Path) -> list[str]:
    """The folders that hold the toolkit's tests."""
    return [path for path in ("tests/unit/toolkit", "tests/e2e/toolkit") if (project / path).is_dir()]


@pytest.fixture
def project(bake: Bake, pattern: str) -> Path:
    """A project with the toolkit's tests, which stay in this repository."""
    made = bake(pattern)
    for folder in FIRST[pattern]:
        for kind in folder.iterdir():
            shutil.copytree(kind, made / "tests" / kind.name / "toolkit", dirs_exist_ok=True)
    return made


@pytest.mark.long
@pytest.mark.parametrize("pattern", FIRST)
def test_its_own_tests_are_green(project: Path) -> None:
    assert_green(run_python(project, "-m", "pytest", *toolkit_folders(project)))


@pytest.mark.parametrize("pattern", FIRST)
def test_its_style_and_types_are_checked(project: Path) -> None:
    (project / "mypy.ini").write_text(MYPY, "utf-8")
    settings = [option for setting in RUFF for option in ("--config", setting)]

    assert_green(run(TOOLS / "bin/ruff", "check", *settings, "toolkit", *toolkit_folders(project), cwd=project))
    assert_green(
        run(TOOLS / "bin/mypy", "--config-file", "mypy.ini", "toolkit", *toolkit_folders(project), cwd=project)
    )


EXCEPTION = """
[[tool.toolkit.exceptions]]
rule = "{rule}"
resource = "ProcessFunction"
reason = "Long work."
"""


@pytest.mark.parametrize(
    ("timeout", "rule", "said"),
    [
        ("120", "test_timeouts_and_memory_are_set_and_short", "3 xfailed"),
        ("30", "test_timeouts_and_memory_are_set_and_short", "[XPASS(strict)] Long work."),
        ("30", "test_of_old", "there is no such rule in toolkit/checks"),
        ("120", "", "120 <= 60"),
    ],
    ids=["needed", "stale", "unknown", "missing"],
)
def test_an_exception_from_a_rule_holds_as_long_as_it_is_needed(
    bake: Bake,
    timeout: str,
    rule: str,
    said: str,
) -> None:
    project = bake("queue")
    template, settings = project / "template.yaml", project / "pyproject.toml"
    template.write_text(template.read_text("utf-8").replace("Timeout: 30\n", f"Timeout: {timeout}\n"), "utf-8")
    if rule:
        settings.write_text(settings.read_text("utf-8") + EXCEPTION.format(rule=rule), "utf-8")
    tests = ["toolkit/checks/test_functions.py", "toolkit/checks/test_exceptions.py"]

    done = run_python(project, "-m", "pytest", *tests)

    assert said in done.stdout
    assert (done.returncode == 0) is ("xfailed" in said)


def test_every_test_layer_runs() -> None:
    folders = {folder for folders in FIRST.values() for folder in folders}

    assert folders == {path for path in (ROOT / "templates").glob("**/toolkit_tests") if path.is_dir()}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_teams_code_and_tests_are_its_own_in_an_update(bake: Bake, pattern: str) -> None:
    """Both update commands hand the patterns to git, for which `src/*/` is no file at all."""
    made = bake(pattern)
    settings = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))
    commit(made)

    yours = set(git(made, "ls-files", "--", *settings["tool"]["toolkit"]["yours"]).splitlines())

    code = set(git(made, "ls-files", "--", "src/service", "tests").splitlines())
    assert code
    assert code <= yours
    assert not {"src/Makefile", "src/requirements.txt"} & yours, "shared"
