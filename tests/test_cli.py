"""The command `serverless-templates`: what it prints, asks and returns."""

import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers import BIN, CATALOGUE, PATTERNS, ROOT, answers, comparable, everything, run, tree
from serverless_templates import __version__
from ways import Request, command_line, complete, create

PATTERN = PATTERNS[0]
# What to type at the questions that this pattern alone asks.
OWN_DEFAULTS = ["" for _ in CATALOGUE.patterns[PATTERN].questions]
COMMANDS = ("new", "list", "describe", "update", "check", "completion")


def cli(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return run("serverless-templates", *arguments, **options)


def on_a_terminal(templates: Path, arguments: Sequence[object], lines: Sequence[str]) -> tuple[int, str]:
    """The exit code and the output of the command on a terminal where somebody types `lines`."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "generator", *map(str, arguments)]
    # Nobody types more: whatever else it asks, it reads the end of the input, and gives up.
    os.write(ours, "".join([*(f"{line}\n" for line in lines), "\x04"]).encode())
    with subprocess.Popen(
        command, cwd=templates, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        output, _ = process.communicate()
    os.close(theirs)
    os.close(ours)
    return process.returncode, output


# Looking


def test_list_shows_every_pattern() -> None:
    done = cli("list")

    assert done.returncode == 0
    for pattern in CATALOGUE.patterns.values():
        assert pattern.name in done.stdout
        assert pattern.summary in done.stdout


def test_list_prints_json_for_programs() -> None:
    listed = json.loads(cli("list", "--json").stdout)

    assert [item["name"] for item in listed] == list(PATTERNS)
    assert all(item.keys() == {"name", "title", "summary", "state"} for item in listed)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_describe_says_everything_about_a_pattern(pattern: str) -> None:
    about = CATALOGUE.patterns[pattern]
    facts = [about.title, about.summary, *about.use_when, *about.services, *about.cost_drivers]
    facts += [alternative.problem for alternative in about.not_for]
    facts += [question.name for question in CATALOGUE.questions_of(pattern)]

    text = cli("describe", pattern).stdout
    data = json.loads(cli("describe", pattern, "--json").stdout)

    assert [fact for fact in facts if fact not in text] == []
    assert [fact for fact in facts if fact not in json.dumps(data, ensure_ascii=False)] == []


# Creating


def test_what_it_prints_repeats_the_run(templates: Path, tmp_path: Path) -> None:
    given = {"project_name": 'It\'s "my" $HOME `name`', "project_slug": "mine"}
    destination = tmp_path / "a folder/-x"
    data = [f"--data={name}={answer}" for name, answer in given.items()]
    command = ("python", "-m", "generator", "new", PATTERN, destination, "--defaults")
    done = run(*command, *data, cwd=templates)
    assert done.returncode == 0, done.stderr
    first = tree(destination)
    shutil.rmtree(destination)

    again = shlex.split(done.stdout.strip().splitlines()[-1])
    assert again[0] == "serverless-templates"
    repeated = run("python", "-m", "generator", *again[1:], cwd=templates)

    assert repeated.returncode == 0, repeated.stderr
    assert tree(destination) == first
    assert answers(destination).items() >= given.items()


def test_on_a_terminal_it_asks_what_is_not_given_and_asks_again_what_is_refused(
    templates: Path, tmp_path: Path
) -> None:
    typed = ["../evil/{{ x }}", "My Orders", "", "It sells things", "@me", "", "2.7", "3.12", "", *OWN_DEFAULTS]

    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "x", "--data", "aws_region=eu-north-1"], typed)

    assert code == 0, output
    assert (
        answers(tmp_path / "x").items()
        >= complete(
            PATTERN,
            {
                "project_name": "My Orders",
                "description": "It sells things",
                "owner": "@me",
                "aws_region": "eu-north-1",
                "python_version": "3.12",
            },
        ).items()
    )
    assert "project_name: '../evil/{{ x }}' is refused. It must be 1 to 60 characters" in output
    assert "python_version: '2.7' is refused" in output
    assert "[my-orders]" in output
    assert "AWS region" not in output


def test_a_default_that_would_be_refused_is_not_offered(templates: Path, tmp_path: Path) -> None:
    typed = ["日本語", "nihongo", "", "", "", "", "", *OWN_DEFAULTS]

    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "x"], typed)

    assert code == 0, output
    assert answers(tmp_path / "x")["project_slug"] == "nihongo"


USAGE_ERRORS = {
    "unknown pattern": (["new", "nothing", "x", "--defaults"], "nothing: there is no such pattern. There are: "),
    "unknown question": (
        ["new", PATTERN, "x", "--data", "nme=x"],
        "--data nme: there is no such question. There are: ",
    ),
    "data without a value": (["new", PATTERN, "x", "--data", "project_name"], "write it as NAME=ANSWER"),
    "data given twice": (["new", PATTERN, "x", *["--data=owner=@me"] * 2], "--data owner: answered twice"),
    "answer that is refused": (["new", PATTERN, "x", "--data=owner=me"], "owner: 'me' is refused. It must be"),
    "no terminal": (["new", PATTERN, "x"], "There is no terminal to ask questions on. Add --defaults"),
    "no arguments": (["new"], "Missing argument"),
    "unknown command": (["create"], "No such command"),
    "pattern to describe is unknown": (["describe", "nothing"], "nothing: there is no such pattern"),
    "folder to check is not there": (["check", "nowhere"], "nowhere: not a generated project"),
    "unknown shell": (["completion", "tcsh"], "'tcsh' is not one of"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_a_wrong_use_is_exit_code_2_with_the_reason_on_stderr(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = cli(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert everything(tmp_path) == set()


def test_every_answer_given_needs_neither_a_terminal_nor_defaults(templates: Path, tmp_path: Path) -> None:
    data = [f"--data={name}={answer}" for name, answer in complete(PATTERN, {}).items()]

    done = run("python", "-m", "generator", "new", PATTERN, tmp_path / "x", *data, cwd=templates)

    assert done.returncode == 0, done.stderr


def test_an_empty_folder_is_filled_even_when_it_is_the_current_one(templates: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    before = folder.stat().st_ino

    done = run(
        "python",
        "-m",
        "generator",
        "new",
        PATTERN,
        ".",
        "--defaults",
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(templates)},
    )

    assert done.returncode == 0, done.stderr
    assert folder.stat().st_ino == before
    assert (folder / "template.yaml").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"mine"}


def test_it_leaves_nothing_behind_when_it_fails_half_way(changing_templates: Path, tmp_path: Path) -> None:
    template = next((changing_templates / "built" / PATTERN).glob("{{*"))
    (template / "zzz.txt").write_text("{{ cookiecutter.nothing }}")
    before = everything(tmp_path)

    done = run("python", "-m", "generator", "new", PATTERN, tmp_path / "new/x", "--defaults", cwd=changing_templates)

    assert done.returncode != 0
    assert everything(tmp_path) == before


def test_it_ignores_the_configuration_of_cookiecutter_and_leaves_nothing_in_the_home(
    templates: Path, tmp_path: Path, isolated: Path
) -> None:
    (isolated / ".cookiecutterrc").write_text("default_context: {project_name: Not Asked For}\n")
    before = everything(isolated)

    project = create(command_line, Request(templates, PATTERN, {}, tmp_path / "output"))

    assert answers(project)["project_name"] == complete(PATTERN, {})["project_name"]
    assert everything(isolated) == before


# Helping


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=["main", *COMMANDS])
def test_help_has_examples(command: list[str]) -> None:
    done = cli(*command, "--help")

    assert done.returncode == 0
    assert "Examples:\n" in done.stdout
    assert f"serverless-templates {command[0] if command else 'new'}" in done.stdout


def test_version() -> None:
    assert cli("--version").stdout == f"serverless-templates {__version__}\n"
    assert run("python", "-m", "serverless_templates", "--version").stdout == f"serverless-templates {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    done = cli("completion", shell)

    assert done.returncode == 0
    assert f"_SERVERLESS_TEMPLATES_COMPLETE={shell}_complete" in done.stdout


def test_completion_knows_the_patterns() -> None:
    asked = {
        "_SERVERLESS_TEMPLATES_COMPLETE": "bash_complete",
        "COMP_WORDS": "serverless-templates new ",
        "COMP_CWORD": "2",
    }

    done = cli(env=os.environ | asked)

    assert [line.removeprefix("plain,") for line in done.stdout.splitlines()] == list(PATTERNS)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal_and_not_with_no_color(no_color: str, *, coloured: bool) -> None:
    assert "\x1b[" not in cli("list").stdout
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [str(BIN / "serverless-templates"), "list"], stdout=theirs, env=os.environ | {"NO_COLOR": no_color}, check=True
    )
    os.close(theirs)
    output = os.read(ours, 10_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert ("\x1b[" in output) is coloured


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["list"], ["new", "--help"]], ids=" ".join)
def test_an_engine_is_imported_only_when_it_is_used(arguments: list[str]) -> None:
    code = "import sys, serverless_templates.cli as c\ntry: c.main()\nfinally: print(*sys.modules, file=sys.stderr)"

    done = run("python", "-c", code, *arguments)

    assert done.returncode == 0
    assert not {"cookiecutter", "copier", "jinja2", "rich", "pydantic"} & set(done.stderr.split())


# Installed


@pytest.fixture(scope="module")
def installed(_templates: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel of these sources is installed."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("generator", "built", "templates"):
        shutil.copytree(_templates / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE"):
        shutil.copy(ROOT / file, source)
    # By way of the source distribution, so that it is seen to be complete too.
    built = run("python", "-m", "build", "--no-isolation", "--outdir", source / "dist", source)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "serverless_templates/data/templates/catalogue.yaml" in archive.namelist()
    target = source / "installed"
    # With the compiled files that pip makes of the templates' Python files as well.
    done = run(
        "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--compile", "--target", target, wheel
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_wheel_alone_makes_the_same_project(installed: Path, templates: Path, tmp_path: Path, pattern: str) -> None:
    expected = create(command_line, Request(templates, pattern, {}, tmp_path / "output"))
    environment = {**os.environ, "PYTHONPATH": str(installed), "PATH": "", "http_proxy": "http://127.0.0.1:9"}

    command = ("-m", "serverless_templates", "new", pattern, tmp_path / "x", "--defaults")
    done = run(sys.executable, *command, cwd=tmp_path, env=environment)

    assert done.returncode == 0, done.stderr
    assert comparable(tmp_path / "x") == comparable(expected)
    assert answers(tmp_path / "x")["_commit"] == f"v{__version__}"
    assert answers(tmp_path / "x")["_src_path"] == CATALOGUE.source
