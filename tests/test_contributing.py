"""CONTRIBUTING.md's example of a pattern works as it is written."""

import os
import re
from pathlib import Path

import pytest
from helpers import Make, assert_green, run, run_python, write_files
from projects import ROOT, TOOLS

PATTERN = "templates/patterns/hello"
FILE = re.compile(rf"`((?:{PATTERN}|files|fragments)/[\w./-]+\.\w+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the example describes and does not show.
DESCRIBED = {
    "files/src/service/domain/greeting.py": '''\
"""Greets."""


def greet(name: str) -> str:
    """Say hello to somebody."""
    return f"Hello, {name}!"
''',
    "files/tests/unit/test_greeting.py": '''\
"""The greeting."""

from service.domain.greeting import greet


def test_it_names_whom_it_greets() -> None:
    assert greet("Ada") == "Hello, Ada!"
''',
    "files/events/greet.json": '{"name": "Ada"}\n',
    "files/scripts/demo.py": '''\
"""`make demo`: greets."""

import json

from toolkit.local_aws.stack import Stack


def example(stack: Stack) -> str:
    """A command to paste, which `make local` prints."""
    return f"aws lambda invoke --function-name {stack.outputs['GreetFunction']} answer.json"


def run(stack: Stack) -> None:
    """Greet."""
    answer = stack.aws.client("lambda").invoke(
        FunctionName=stack.outputs["GreetFunction"], Payload=json.dumps({"name": "Ada"})
    )
    print(answer["Payload"].read().decode())
''',
}


def shown() -> dict[str, str]:
    """The files that the example shows: each block of code belongs to the file that was named last before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    text = text[text.index("## Add a pattern") : text.index("### 6.")]
    found, start = {}, 0
    for block in BLOCK.finditer(text):
        named = FILE.findall(text[start : block.start()])
        if block[1] in {"markdown", "python", "yaml"}:
            found[named[-1].removeprefix(f"{PATTERN}/")] = block[2]
        start = block.end()
    return found


@pytest.fixture
def project(changing_templates: Path, tmp_path: Path) -> Path:
    """A project of the example, built as step 5 says."""
    files = {f"{PATTERN}/{path}": text for path, text in (shown() | DESCRIBED).items()}
    write_files(changing_templates, files)
    built = run("python", "-m", "generator.build", cwd=changing_templates)
    assert built.returncode == 0, built.stderr
    made = run("python", "-m", "generator", "new", "hello", tmp_path / "hello", "--defaults", cwd=changing_templates)
    assert made.returncode == 0, made.stderr
    return tmp_path / "hello"


def test_the_example_shows_these_files() -> None:
    assert shown().keys() == {
        "pattern.yaml",
        "files/src/service/handlers/greet.py",
        "files/tests/e2e/test_greet.py",
        "fragments/operations.costs.md",
        "fragments/template.alarm-at.yaml",
        "fragments/template.functions.yaml",
        "fragments/template.outputs.yaml",
        "fragments/template.resources.yaml",
    }


@pytest.mark.long
def test_the_tests_of_the_example_are_green(project: Path, make: Make) -> None:
    assert_green(make(project, "test"))


def test_what_the_example_shows_keeps_the_rules_of_a_project(project: Path) -> None:
    for command in ("ruff check .", "ruff format --check .", "mypy"):
        done = run_python(project, "-m", *command.split())
        assert done.returncode == 0, done.stdout


def test_the_demo_of_the_example_prints_what_the_page_says(project: Path) -> None:
    done = run_python(project, "-m", "toolkit", "demo", PATH=f"{TOOLS}/bin:{os.environ['PATH']}")

    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.splitlines()[-1] == '"Hello, Ada!"'
