"""Small things that many tests do: run commands, look at folders, write sources."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import forks
import yaml
from projects import BIN, ROOT, TOOLS
from serverless_templates.catalogue import load

CATALOGUE = load(ROOT)
PATTERNS = tuple(CATALOGUE.patterns)
# Files of a project that hold pins.
PINS = ("requirements/", "src/requirements.txt")
ANSWERS_FILE = ".copier-answers.yml"
# The proof that is run, such as prove-input: it tries more than `make test` has time for.
PROOF = os.environ.get("PROOF", "")
# Fixtures that create a project of a pattern, and run a make target of it.
Bake = Callable[..., Path]
Make = Callable[..., subprocess.CompletedProcess[str]]
# The tests of a project that need no local AWS.
WITHOUT_AWS = ("tests/unit", "tests/template", "toolkit/checks", "--ignore=toolkit/checks/e2e")

MINIMAL_SOURCES = {
    "templates/catalogue.yaml": """\
source: gh:org/templates
questions:
  - name: project_name
    help: Name
    type: text
    default: Some Name
    rule: {matches: "[A-Z][A-Za-z ]{0,20}", reason: a few words, example: Some Name}
  - name: project_slug
    help: Short name
    type: text
    default: '{{ cookiecutter.project_name|lower|replace(" ", "-") }}'
    rule: {matches: "[a-z][a-z0-9-]{2,29}", reason: 3 to 30 lowercase letters, example: some-name}
  - name: size
    help: Size
    type: choice
    choices: [small, large]
    default: small
computed:
  shout: '{{ cookiecutter.project_name|upper }}'
""",
    "templates/common/files/pyproject.toml": '[tool.toolkit]\nyours = ["yours/"]\n',
    "templates/common/files/README.md": "# {{ cookiecutter.project_name }}\n\nSized {{ cookiecutter.size }}.\n",
    "templates/parts/tables/files/tables.txt": "a table\n",
    "templates/patterns/first/pattern.yaml": "title: First\nsummary: The first of all.\nparts: [tables]\n",
    "templates/patterns/first/files/first.txt": "{{ cookiecutter.__shout }}\n",
}


def nouns() -> dict[str, str]:
    """Each pattern's noun, as the README of its projects says it."""
    found = {}
    for pattern in PATTERNS:
        commands = ROOT / "templates/patterns" / pattern / "fragments/README.commands.md"
        if commands.exists() and (said := re.search(r"make rename FROM=(\w+)", commands.read_text("utf-8"))):
            found[pattern] = said[1]
    return found


NOUNS = nouns()


def write_files(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write each of `files`, whose names are paths below `root`."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def write_sources(root: Path) -> None:
    """The smallest sources that can be built, with the real hooks."""
    write_files(root, MINIMAL_SOURCES)
    shutil.copytree(ROOT / "hooks", root / "hooks", ignore=shutil.ignore_patterns("__pycache__"))


def run(*command: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints. A command's name alone is one of this environment's commands."""
    program, *arguments = map(str, command)
    environment = options.pop("env", None) or dict(os.environ)
    if options.keys() <= {"cwd", "input"} and forks.can_run([program, *arguments], environment):
        return forks.run([program, *arguments], options.get("cwd"), environment, options.get("input", ""))
    return run_in_new_process(program, *arguments, env=environment, **options)


def run_in_new_process(program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The same in a new process, as a user does."""
    if "/" not in program and (BIN / program).exists():
        program = str(BIN / program)
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run([program, *arguments], capture_output=True, encoding="utf-8", check=False, **options)


def run_python(project: Path, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the Python that a project's make targets run, in the project and with what they tell it."""
    return run(TOOLS / "bin/python", *arguments, cwd=project, env={**os.environ, "VENV": str(TOOLS), **variables})


def assert_green(done: subprocess.CompletedProcess[str]) -> None:
    """An AssertionError with what a command has printed when it failed."""
    assert done.returncode == 0, f"{done.stdout[-6_000:]}\n{done.stderr[-3_000:]}"


def git(folder: Path, *arguments: str) -> str:
    """What git prints for a command in `folder`; an AssertionError when it fails."""
    done = run("git", "-C", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, *, tag: str | None = None) -> Path:
    """Commit everything in `folder`, making a repository of it when it is none, and tag it."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    git(folder, "add", "--all")
    git(folder, *identity, "commit", "--quiet", "--allow-empty", "--message", "Change")
    if tag:
        git(folder, *identity, "tag", tag)
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Each file below `folder`: its bytes, and whether it is a program. Git's own files are left out."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), os.access(path, os.X_OK)) for path in files}


def everything(folder: Path) -> set[str]:
    """Every path below `folder`, folders as well: what must not have changed when something is refused."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def answers(project: Path) -> dict[str, str]:
    """What the answers file of `project` holds."""
    loaded: dict[str, str] = yaml.safe_load((project / ANSWERS_FILE).read_text("utf-8"))
    return loaded


def comparable(project: Path) -> dict[str, tuple[bytes, bool]]:
    """The files of a project, without what is rightly different: where it came from, and cruft's own file."""
    files = tree(project)
    files.pop(".cruft.json", None)
    content, executable = files[ANSWERS_FILE]
    kept = [line for line in content.splitlines(keepends=True) if not line.startswith((b"_commit:", b"_src_path:"))]
    return files | {ANSWERS_FILE: (b"".join(kept), executable)}
