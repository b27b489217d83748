"""Every pattern, made by either engine and worked on, follows its template through every kind of change it can see.

releases.py makes the releases: they change, add and remove files, ask something new, rename a question and rename the
pattern. `docs/evolution.md` is about how. The answers are unusual ones, with which the project is green as well.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from copier import run_update
from helpers import (
    PATTERNS,
    PROOF,
    WITHOUT_AWS,
    answers,
    assert_green,
    commit,
    run,
    run_python,
    tree,
    write_files,
)
from releases import RELEASES, replace
from serverless_templates.update import Left, find_project, update
from ways import JUDGES, UNUSUAL, Request, create

pytestmark = pytest.mark.long
# Who makes the project, and whether each release is taken by itself. That any two come to the same shows that both do
# not matter, for one pattern; `make prove-updates` tries all four, for all patterns.
ALL_CELLS = [("cookiecutter", True), ("copier", False), ("cookiecutter", False), ("copier", True)]
CELLS = {
    pattern: ALL_CELLS if PROOF else ALL_CELLS[:2] if pattern == PATTERNS[0] else ALL_CELLS[:1] for pattern in PATTERNS
}
RUNBOOK_END = "## Roll back a release"


# What people do with their project

MY_HANDLER = '''\
"""Greets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    fallback_name: str


settings = read_settings(Settings)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> str:
    """Say hello."""
    return f"Hello, {event.get('name', settings.fallback_name)}!"
'''
MY_FUNCTION = """\
  MineFunction:
    Type: AWS::Serverless::Function
    DependsOn: MineLogGroup
    Metadata: { BuildMethod: makefile }
    Properties:
      FunctionName: !Sub ${AWS::StackName}-Mine
      Handler: service.handlers.mine.handler
      Role: !GetAtt MineRole.Arn
      MemorySize: 256
      Timeout: 5
      LoggingConfig: { ApplicationLogLevel: !Ref LogLevel }
      DeploymentPreference: { Alarms: [!Ref MineCanaryAlarm] }
      Environment:
        Variables:
          POWERTOOLS_LOG_LEVEL: !Ref LogLevel
          FALLBACK_NAME: world
      Tags: { function: Mine }

  MyLogGroup:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: !If [IsProd, RetainExceptOnCreate, Delete]
    UpdateReplacePolicy: !If [IsProd, Retain, Delete]
    Properties:
      LogGroupName: !Sub /aws/lambda/${AWS::StackName}-by-hand
      RetentionInDays: !Ref LogRetentionDays

"""
MY_PAGES = "".join(f"## Mine{alarm}Alarm\n\nMine.\n\n" for alarm in ("Errors", "Throttles", "Duration"))
MINE = {
    "src/service/handlers/mine.py": MY_HANDLER,
    "events/mine.json": "{}\n",
    "tests/unit/test_mine.py": "def test_mine() -> None:\n    assert True\n",
}
# What is in a file of the template when it is as I left it.
MY_LINES = {
    "template.yaml": ["      - Mine\n", "    Mine: { Milliseconds: 4000 }\n", MY_FUNCTION],
    "docs/runbook.md": [MY_PAGES],
    "pyproject.toml": ['  "python-ulid>=3",\n'],
    "samconfig.toml": ['  "LogRetentionDays=14",\n', '  "LogRetentionDays=731",\n'],
}
DELETED = ".github/pull_request_template.md"


def work_on(project: Path) -> Path:
    """An own function with its alarms, an own resource, an own dependency, changed settings, a file less."""
    write_files(project, MINE)
    functions = "  Fn::ForEach::Functions:\n    - Function\n    -\n"
    replace(
        project / "template.yaml",
        (functions, f"{functions}      - Mine\n"),
        ("  AlarmAt:\n", "  AlarmAt:\n    Mine: { Milliseconds: 4000 }\n"),
        ("\nOutputs:\n", f"\n{MY_FUNCTION}Outputs:\n"),
    )
    replace(project / "docs/runbook.md", (RUNBOOK_END, MY_PAGES + RUNBOOK_END))
    replace(project / "pyproject.toml", ("dependencies = [\n", 'dependencies = [\n  "python-ulid>=3",\n'))
    replace(
        project / "samconfig.toml",
        ('"LogRetentionDays=7"', '"LogRetentionDays=14"'),
        ('"LogRetentionDays=365"', '"LogRetentionDays=731"'),
    )
    (project / DELETED).unlink()
    return commit(project)


# The line that the template changed as well, and nothing around it.
CONFLICT = """\
<<<<<<< before updating
  "LogRetentionDays=731",
=======
  "LogRetentionDays=400",
>>>>>>> after updating
"""


def solve(project: Path, *, conflict: bool) -> None:
    """See that the one conflict is marked and no other, keep what is mine, and commit."""
    if conflict:
        replace(project / "samconfig.toml", (CONFLICT, '  "LogRetentionDays=731",\n'))
    marked = run("git", "-C", project, "grep", "-e", "^<<<<<<< ", "-e", "^>>>>>>> ")
    assert (marked.returncode, marked.stdout) == (1, "")
    commit(project)


def assert_own_tests_are_green(project: Path) -> None:
    assert_green(run_python(project, "-m", "pytest", "-q", *WITHOUT_AWS))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_engine_and_path_of_updates_gives_the_same_green_project(
    pattern: str, published: Path, publish: Callable[[str], None], tmp_path: Path, counts: dict[str, int]
) -> None:
    stepping, leaping = [], []
    for origin, one_by_one in CELLS[pattern]:
        request = Request(published, pattern, UNUSUAL | {"owner": "@my-team"}, tmp_path / f"{origin}-{one_by_one}")
        project = work_on(commit(create(JUDGES[origin], request)))
        (stepping if one_by_one else leaping).append(project)

    for tag in RELEASES:
        publish(tag)
        for project in stepping:
            run_update(project, defaults=True, overwrite=True, quiet=True)
            solve(project, conflict=tag == RELEASES[0])
            assert answers(project)["_commit"] == tag
    for project in leaping:
        assert update(find_project(project), RELEASES[-1]).conflicts == ("samconfig.toml",)
        solve(project, conflict=True)

    counts["projects"] = len(CELLS[pattern])
    counts["updates"] = len(stepping) * len(RELEASES) + len(leaping)
    counts["conflicts, each where both changed the same line"] = len(CELLS[pattern])
    # Whatever the way, the same came of it.
    project, *others = (*stepping, *leaping)
    assert [tree(other) == tree(project) for other in others] == [True] * len(others)
    # What is mine is there.
    for path, text in MINE.items():
        assert (project / path).read_text("utf-8") == text
    for path, texts in MY_LINES.items():
        assert [text for text in texts if text not in (project / path).read_text("utf-8")] == []
    assert not (project / DELETED).exists()
    # What is new came, what is gone went, and the answers are those of before, under the names of today.
    assert (project / "template.yaml").read_text("utf-8").startswith("# All of the stack")
    assert (project / "toolkit/runtime/environment.py").read_text("utf-8").startswith('"""Better')
    assert (project / "docs/bill.md").read_text("utf-8") == "# Who pays\n\nnobody\n"
    assert not (project / ".editorconfig").exists()
    now = answers(project)
    assert (now["pattern"], now["team"], now["cost_centre"]) == (f"{pattern}-now", "@my-team", "nobody")
    assert "owner" not in now
    assert (project / ".github/CODEOWNERS").read_text("utf-8") == "* @my-team\n"
    # And it works.
    assert_own_tests_are_green(project)


# The package by its name, in code and in what refers to code; not the word, and no variable of that name.
PACKAGE = re.compile(
    r"(?<=from )service\b|(?<=import )service\b|(?<=src/)service\b|(?<=src\" / \")service\b|(?<=cp -R )service\b"
    r"|\bservice(?=\.[a-z\"](?!eplace))|(?<=\")service(?=\"}|/)"
)


@pytest.mark.parametrize("pattern", PATTERNS if PROOF else PATTERNS[:1])
def test_renamed_package_is_left_alone_and_the_rest_updated(
    pattern: str, published: Path, publish: Callable[[str], None], tmp_path: Path
) -> None:
    project = commit(create(JUDGES["cookiecutter"], Request(published, pattern, {}, tmp_path / "made")))
    (project / "src/service").rename(project / "src/intake")
    for path, (content, _) in tree(project).items():
        if path.startswith("toolkit/"):
            continue  # It finds the package by itself.
        (project / path).write_text(PACKAGE.sub("intake", content.decode()), "utf-8")
    commit(project)
    package = tree(project / "src/intake")
    publish(RELEASES[0])

    left = update(find_project(project), RELEASES[0])

    assert left == Left(conflicts=(), kept=())
    assert tree(project / "src/intake") == package
    assert not (project / "src/service").exists()
    assert (project / "template.yaml").read_text("utf-8").startswith("# All of the stack")
    assert (project / "docs/bill.md").is_file()
    assert_own_tests_are_green(project)
