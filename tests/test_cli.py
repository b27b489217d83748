"""The command `serverless-templates`: what it prints, asks and returns."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from helpers import BIN, CATALOGUE, PATTERNS, ROOT, answers, commit, comparable, everything, git, run, tree
from serverless_templates.catalogue import load
from serverless_templates.errors import BuildError
from ways import Request, command_line, complete, create

PATTERN = PATTERNS[0]
# What to type at the questions that this pattern alone asks.
OWN_DEFAULTS = ["" for _ in CATALOGUE.patterns[PATTERN].questions]
COMMANDS = ("new", "list", "describe", "update", "check", "completion")


def cli(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return run("serverless-templates", *arguments, **options)


def on_a_terminal(
    templates: Path, arguments: Sequence[object], lines: Sequence[str], *, cwd: Path | None = None
) -> tuple[int, str]:
    """The exit code and the output of the command on a terminal where somebody types `lines`."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "generator", *map(str, arguments)]
    # Nobody types more: whatever else it asks, it reads the end of the input, and gives up.
    os.write(ours, "".join([*(f"{line}\n" for line in lines), "\x04"]).encode())
    with subprocess.Popen(
        command,
        cwd=cwd or templates,
        env=os.environ | {"PYTHONPATH": str(templates)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
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

    code, output = on_a_terminal(
        templates, ["new", PATTERN, tmp_path / "order-intake", "--data", "aws_region=eu-north-1"], typed
    )

    assert code == 0, output
    assert (
        answers(tmp_path / "order-intake").items()
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
    for question in CATALOGUE.questions_of(PATTERN):
        rule = ": ".join(question.choices[:1]) or question.rule.reason
        assert (rule in output) is (question.name != "aws_region")
    assert "AWS region" not in output


def test_a_default_that_would_be_refused_is_not_offered(templates: Path, tmp_path: Path) -> None:
    typed = ["日本語", "nihongo", *[""] * 6, *OWN_DEFAULTS]

    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "order-intake"], typed)

    assert code == 0, output
    assert answers(tmp_path / "order-intake")["project_slug"] == "nihongo"


USAGE_ERRORS = {
    "unknown pattern": (["new", "nothing", "x", "--defaults"], "nothing: there is no such pattern. There are: "),
    "misspelled pattern": (
        ["new", PATTERN.upper() + "s", "x", "--defaults"],
        f"there is no such pattern. Did you mean {PATTERN}? There are: ",
    ),
    "planned pattern": (
        ["new", next(iter(CATALOGUE.planned)), "x", "--defaults"],
        f"this pattern is planned, and not there yet: {next(iter(CATALOGUE.planned.values()))}.",
    ),
    "misspelled question": (
        ["new", PATTERN, "x", "--data", "projct_name=x"],
        "--data projct_name: there is no such question. Did you mean project_name? There are: ",
    ),
    "misspelled choice": (["new", PATTERN, "x", "--data=python_version=3.13.1"], "Example: 3.14. Did you mean 3.13?"),
    "choice by its number in --data": (["new", PATTERN, "x", "--data=python_version=1"], "'1' is refused"),
    "impossible region": (["new", PATTERN, "x", "--data=aws_region=eu-wst-1"], "aws_region: 'eu-wst-1' is refused"),
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
    "misspelled command": (["descibe"], "No such command 'descibe'. Did you mean 'describe'?"),
    "pattern to describe is planned": (["describe", next(iter(CATALOGUE.planned))], "this pattern is planned"),
    "pattern to describe is unknown": (["describe", "nothing"], "nothing: there is no such pattern"),
    "folder to check is not there": (["check", "nowhere"], "nowhere: not a generated project"),
    "unknown shell": (["completion", "tcsh"], "'tcsh' is not one of"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_usage_error_is_exit_code_2_with_the_reason_on_stderr(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = cli(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert everything(tmp_path) == set()


def test_all_invalid_answers_are_reported_at_once_without_their_consequences(tmp_path: Path) -> None:
    wrong = ["owner=me", "owner=@me", "projct_name=x", "aws_region=us-central-1", "description"]

    done = cli("new", PATTERN, tmp_path / "x", "--defaults", *(f"--data={each}" for each in wrong))

    assert done.returncode == 2
    assert [line.removeprefix("Error: ").partition(":")[0] for line in done.stderr.splitlines()] == [
        *("owner", "--data owner", "--data projct_name", "aws_region", "--data description"),
        "project_slug",  # the folder's name is too short for one
    ]


def test_invalid_data_is_reported_before_the_first_prompt(templates: Path, tmp_path: Path) -> None:
    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "orders", "--data=owner=me"], [])

    assert code == 2
    assert "owner: 'me' is refused" in output
    assert "project_name" not in output


@pytest.mark.parametrize("typed", ["2", "NONE", "iam"])
def test_a_choice_is_made_by_number_or_by_name_in_any_case(templates: Path, tmp_path: Path, typed: str) -> None:
    (question,) = (each for each in CATALOGUE.questions_of("api") if each.name == "authentication")
    others = {name: answer for name, answer in complete("api", {}).items() if name != question.name}
    data = [f"--data={name}={answer}" for name, answer in others.items()]

    code, output = on_a_terminal(templates, ["new", "api", tmp_path / "orders", *data], ["9", typed])

    assert code == 0, output
    assert "authentication: '9' is refused" in output
    for number, choice in enumerate(question.choices, start=1):
        assert f"{number}: {choice}" in output
    chosen = question.choices[1] if typed == "2" else typed
    assert answers(tmp_path / "orders")["authentication"].lower() == chosen.lower()
    assert answers(tmp_path / "orders")["authentication"] in question.choices


def test_a_choice_is_given_by_name_in_any_case(templates: Path, tmp_path: Path) -> None:
    command = ("python", "-m", "generator", "new", "api", tmp_path / "orders", "--defaults", "--data")

    assert run(*command, "authentication=jwt", cwd=templates).returncode == 0
    assert answers(tmp_path / "orders")["authentication"] == "JWT"


def test_end_of_input_has_its_own_exit_code(templates: Path, tmp_path: Path) -> None:
    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "orders"], ["My Orders"])

    assert code == 130
    assert output.endswith("\nStopped.\n")
    assert everything(tmp_path) == set()


def test_ctrl_c_has_its_own_exit_code(templates: Path, tmp_path: Path) -> None:
    # A shell makes what it starts in the background ignore the signal, and then the command would, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-u", "-m", "generator", "new", PATTERN, str(tmp_path / "orders")]
    with subprocess.Popen(
        command, cwd=templates, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        seen = b""
        while b"project_name" not in seen:  # it asks, and waits
            seen += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        os.write(ours, b"\n")  # a signal just before Python reads is seen only after it has read
        _, errors = process.communicate()
    signal.signal(signal.SIGINT, before)
    os.close(theirs)
    os.close(ours)

    assert process.returncode == 130
    assert errors == b"\nStopped.\n"
    assert everything(tmp_path) == set()


def test_answering_no_has_its_own_exit_code(changing_templates: Path, tmp_path: Path) -> None:
    project = tmp_path / "orders"
    command = ("python", "-m", "generator", "new", PATTERN, project, "--defaults")
    assert run(*command, cwd=changing_templates).returncode == 0
    commit(project)
    (template,) = (changing_templates / "built" / PATTERN).glob("{{*")
    (template / "new.txt").write_text("new", "utf-8")
    commit(changing_templates, tag="v0.2.0")
    before = tree(project)

    code, output = on_a_terminal(changing_templates, ["update"], ["n"], cwd=project)

    assert code == 3, output
    assert "Update? [y/N]" in output
    assert tree(project) == before


def test_every_answer_given_needs_neither_a_terminal_nor_defaults(templates: Path, tmp_path: Path) -> None:
    data = [f"--data={name}={answer}" for name, answer in complete(PATTERN, {}).items()]

    done = run("python", "-m", "generator", "new", PATTERN, tmp_path / "order-intake", *data, cwd=templates)

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


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_repository_without_files_is_filled(templates: Path, tmp_path: Path, kind: str) -> None:
    """Also a worktree or submodule, where `.git` is a file."""
    folder = tmp_path / "orders"
    git(tmp_path, "init", "--quiet", *(["--separate-git-dir", "elsewhere"] if kind == "file" else []), "orders")
    assert (folder / ".git").is_dir() is (kind == "folder")

    done = run("python", "-m", "generator", "new", PATTERN, folder, "--defaults", cwd=templates)

    assert done.returncode == 0, done.stderr
    assert (folder / "template.yaml").is_file()
    assert git(folder, "status", "--porcelain", "template.yaml") == "?? template.yaml"


def into_folder(program: str, templates: Path, folder: str, *data: str) -> subprocess.CompletedProcess[str]:
    """Create a project with defaults in a folder that the program is told."""
    given = [f"--data={each}" for each in data]
    if program == "copier":
        return run("copier", "copy", "--quiet", "--defaults", f"--data=pattern={PATTERN}", *given, templates, folder)
    return run("python", "-m", "generator", "new", PATTERN, folder, "--defaults", *given, cwd=templates)


@pytest.mark.parametrize("program", ["serverless-templates", "copier"])
@pytest.mark.parametrize(
    ("folder", "short_name"),
    [("services/catalogue", "catalogue"), ("services/Order_Intake.v2", "order-intake-v2"), ("payments/", "payments")],
)
def test_the_short_name_follows_the_folder(
    program: str, templates: Path, tmp_path: Path, folder: str, short_name: str
) -> None:
    """Two services in two folders of one repository are two stacks. The other ways name the folder after it."""
    done = into_folder(program, templates, f"{tmp_path}/{folder}")

    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / folder)["project_slug"] == short_name
    assert f'stack_name = "{short_name}-dev"' in (tmp_path / folder / "samconfig.toml").read_text("utf-8")


@pytest.mark.parametrize("program", ["serverless-templates", "copier"])
@pytest.mark.parametrize(
    ("given", "short_name"), [("project_slug=mine", "mine"), ("project_name=My Orders", "my-orders")]
)
def test_given_name_has_priority_over_the_folder_name(
    program: str, templates: Path, tmp_path: Path, given: str, short_name: str
) -> None:
    done = into_folder(program, templates, f"{tmp_path}/catalogue", given)

    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "catalogue")["project_slug"] == short_name


@pytest.mark.parametrize("folder", ["x", "con", "2-orders", "o" * 31])
def test_with_copier_a_folder_whose_name_cannot_be_a_short_name_is_not_followed(
    templates: Path, tmp_path: Path, folder: str
) -> None:
    """Copier would refuse it with a traceback."""
    done = into_folder("copier", templates, f"{tmp_path}/{folder}")

    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / folder)["project_slug"] == complete(PATTERN, {})["project_slug"]


@pytest.mark.parametrize("folder", ["x", "con", "2-orders", "o" * 31])
def test_a_folder_whose_name_cannot_be_a_short_name_is_refused_with_the_remedy(
    templates: Path, tmp_path: Path, folder: str
) -> None:
    done = run("python", "-m", "generator", "new", PATTERN, tmp_path / folder, "--defaults", cwd=templates)

    assert done.returncode == 2
    assert "--data project_slug=" in done.stderr
    assert not (tmp_path / folder).exists()


def test_failure_leaves_no_files(changing_templates: Path, tmp_path: Path) -> None:
    template = next((changing_templates / "built" / PATTERN).glob("{{*"))
    (template / "zzz.txt").write_text("{{ cookiecutter.nothing }}", "utf-8")
    before = everything(tmp_path)

    done = run(
        "python", "-m", "generator", "new", PATTERN, tmp_path / "new/project", "--defaults", cwd=changing_templates
    )

    assert done.returncode != 0
    assert everything(tmp_path) == before


def test_it_ignores_the_configuration_of_cookiecutter_and_leaves_nothing_in_the_home(
    templates: Path, tmp_path: Path, isolated: Path
) -> None:
    (isolated / ".cookiecutterrc").write_text("default_context: {project_name: Not Asked For}\n", "utf-8")
    before = everything(isolated)

    project = create(command_line, Request(templates, PATTERN, {}, tmp_path / "output"))

    assert answers(project)["project_name"] == complete(PATTERN, {})["project_name"]
    assert everything(isolated) == before


# Helping

# Nothing that wraps by itself is wider than this; what is to be pasted stays in one piece.
NARROW = 60


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["list"], *([name, "--help"] for name in COMMANDS)),
        *(["describe", pattern] for pattern in PATTERNS),
    ],
    ids=" ".join,
)
def test_everything_fits_a_narrow_terminal(arguments: list[str]) -> None:
    done = cli(*arguments, env=os.environ | {"COLUMNS": str(NARROW)})

    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if len(line) > NARROW] == []


def test_the_questions_fit_a_narrow_terminal(templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(NARROW))
    typed = [""] * len(CATALOGUE.questions_of(PATTERN))

    code, output = on_a_terminal(templates, ["new", PATTERN, tmp_path / "orders"], typed)

    assert code == 0, output
    asked = output[: output.index("Created")]
    # Output is no terminal here, so a line that is answered goes on with the next question's empty line.
    assert [line for line in asked.splitlines() if len(line) > NARROW] == []


def test_the_list_of_commands_has_every_description_whole() -> None:
    text = " ".join(cli("--help", env=os.environ | {"COLUMNS": str(NARROW)}).stdout.split())

    for name in COMMANDS:
        described = cli(name, "--help").stdout.partition("\n\n")[2].partition("\n\n")[0]
        assert f"{name} {' '.join(described.split())}" in text


def test_exit_codes_are_in_the_help() -> None:
    codes = cli("--help").stdout.partition("Exit codes:\n")[2]

    assert re.findall(r"(?m)^ +(\d+)  ", codes) == ["0", "1", "2", "3", str(128 + signal.SIGINT)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_describe_marks_planned_patterns(pattern: str) -> None:
    text = cli("describe", pattern).stdout
    data = json.loads(cli("describe", pattern, "--json").stdout)

    for alternative in CATALOGUE.patterns[pattern].not_for:
        planned = alternative.instead not in PATTERNS
        line = next(line for line in text.splitlines() if alternative.problem in line)
        assert line.endswith(f"see {alternative.instead}{', which is planned and not there yet' if planned else ''}")
    assert [each["planned"] for each in data["not_for"]] == [
        each["instead"] not in PATTERNS for each in data["not_for"]
    ]


def test_the_readme_has_the_patterns_that_there_are_and_those_that_are_planned() -> None:
    rows = re.findall(
        r"(?m)^\| `([a-z-]+)` \| (.*) \| (complete|preview|planned) \|$", (ROOT / "README.md").read_text("utf-8")
    )

    assert {name: state for name, _, state in rows if state != "planned"} == {
        pattern.name: pattern.state for pattern in CATALOGUE.patterns.values()
    }
    assert {name: what for name, what, state in rows if state == "planned"} == CATALOGUE.planned


def test_built_pattern_is_not_planned(sources: Path) -> None:
    catalogue = sources / "templates/catalogue.yaml"
    catalogue.write_text(f"{catalogue.read_text('utf-8')}planned: {{first: what, second: that}}\n", "utf-8")

    assert load(sources).planned == {"second": "that"}


def test_alternatives_are_built_or_planned_patterns(sources: Path) -> None:
    pattern = sources / "templates/patterns/first/pattern.yaml"
    pattern.write_text(f"{pattern.read_text('utf-8')}not_for: [{{problem: x, instead: secnd}}]\n", "utf-8")

    with pytest.raises(BuildError, match="there is no pattern secnd"):
        load(sources)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=["main", *COMMANDS])
def test_help_has_examples(command: list[str]) -> None:
    done = cli(*command, "--help")

    assert done.returncode == 0
    assert "Examples:\n" in done.stdout
    assert f"serverless-templates {command[0] if command else 'new'}" in done.stdout


def test_version() -> None:
    expected = f"serverless-templates {metadata.version('serverless-templates')}\n"

    assert cli("--version").stdout == expected
    assert run("python", "-m", "serverless_templates", "--version").stdout == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    done = cli("completion", shell)

    assert done.returncode == 0
    assert f"_SERVERLESS_TEMPLATES_COMPLETE={shell}_complete" in done.stdout


def completed(*words: str) -> list[str]:
    """What the shell offers for the last word."""
    asked = {
        "_SERVERLESS_TEMPLATES_COMPLETE": "zsh_complete",
        "COMP_WORDS": " ".join(["serverless-templates", *words]),
        "COMP_CWORD": str(len(words)),
    }
    # Of each: its kind, itself, and its help.
    return cli(env=os.environ | asked).stdout.splitlines()[1::3]


def test_completion_knows_the_patterns() -> None:
    assert completed("new", "") == list(PATTERNS)


def test_completion_knows_the_questions_and_their_choices() -> None:
    questions = CATALOGUE.questions_of(PATTERN)

    assert completed("new", PATTERN, "folder", "--data", "") == [f"{question.name}=" for question in questions]
    assert completed("new", PATTERN, "folder", "--data", "python_version=") == [
        f"python_version={choice}"
        for question in questions
        if question.name == "python_version"
        for choice in question.choices
    ]
    assert completed("new", "nothing", "folder", "--data", "") == []


def test_completion_works_in_bash_where_an_equals_sign_ends_a_word() -> None:
    """On a terminal, with what is typed: a tab completes, and nothing has to be deleted after it."""
    typed = [
        'eval "$(serverless-templates completion bash)"',
        'serverless-templates() { echo "<$*>"; }',  # what completes is the program, not this
        "serverless-templates new a\tx --data python_v\t3.1\t2",
        "serverless-templates new api x --data authentication=J\t",
        "exit",
    ]
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{line}\n" for line in typed).encode())
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb", "HOME": os.environ["HOME"]}
    done = subprocess.run(
        ["bash", "--norc", "-i"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        encoding="utf-8",
        check=False,
        start_new_session=True,
    )
    os.close(theirs)
    os.close(ours)

    assert re.findall("<(.*)>", done.stdout) == [
        "new api x --data python_version=3.12",
        "new api x --data authentication=JWT",
    ]


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


def repository_to_install(templates: Path, folder: Path, *tags: str) -> Path:
    """All that an installation is made from, in a git repository."""
    for name in ("generator", "built", "templates"):
        shutil.copytree(templates / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (
        *("pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "README.md"),
        *(".gitignore", ".gitattributes", ".git_archival.txt"),
    ):
        shutil.copy(ROOT / file, folder)
    commit(folder)
    for tag in tags:
        git(folder, "tag", tag)
    return folder


def pip_install(target: Path, source: object) -> Path:
    # With the compiled files that pip makes of the templates' Python files as well.
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    done = run("python", "-m", "pip", "install", "--quiet", *offline, "--compile", "--target", target, source)
    assert done.returncode == 0, done.stderr
    return target


def new_project(installed: Path, pattern: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Create a project with what is installed, and with nothing else: neither network nor programs."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PATH": "", "http_proxy": "http://127.0.0.1:9"}
    command = ("-m", "serverless_templates", "new", pattern, folder, "--defaults")
    done = run(sys.executable, *command, cwd=folder.parent, env=environment)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def installed(_templates: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel of these sources is installed."""
    source = repository_to_install(_templates, tmp_path_factory.mktemp("source"), "v0.1.0")
    # By way of the source distribution, so that it is seen to be complete too.
    built = run("python", "-m", "build", "--no-isolation", "--outdir", source / "dist", source)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "serverless_templates/data/templates/catalogue.yaml" in archive.namelist()
    return pip_install(source / "installed", wheel)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_wheel_alone_makes_the_same_project(installed: Path, templates: Path, tmp_path: Path, pattern: str) -> None:
    expected = create(command_line, Request(templates, pattern, {}, tmp_path / "output"))

    folder = tmp_path / complete(pattern, {})["project_slug"]
    new_project(installed, pattern, folder)

    assert comparable(folder) == comparable(expected)
    assert answers(folder)["_commit"] == "v0.1.0"
    assert answers(folder)["_src_path"] == CATALOGUE.source


@pytest.mark.parametrize("tags", [("v1.0.0",), ("v1.0.0", "v1", "latest"), ("v1", "release-1.0.0"), ()], ids=str)
@pytest.mark.parametrize("later", [False, True], ids=["at the tag", "a commit later"])
def test_a_project_of_a_fork_installed_from_git_remembers_the_forks_version(
    templates: Path, tmp_path: Path, tags: tuple[str, ...], *, later: bool
) -> None:
    fork = repository_to_install(templates, tmp_path / "fork", *tags)
    if later:
        (fork / "NEWS").write_text("news", "utf-8")
        commit(fork)
    installed = pip_install(tmp_path / "installed", f"git+file://{fork}")

    new_project(installed, PATTERNS[0], tmp_path / "order-intake")

    head = git(fork, "rev-parse", "HEAD")
    assert answers(tmp_path / "order-intake")["_commit"] == ("v1.0.0" if "v1.0.0" in tags and not later else head)
    assert answers(tmp_path / "order-intake")["_src_path"] == f"git+file://{fork}"
    commit(tmp_path / "order-intake")
    assert run("serverless-templates", "check", tmp_path / "order-intake").stdout == "Up to date.\n"


def test_a_wheel_that_was_built_between_two_versions_remembers_its_commit(templates: Path, tmp_path: Path) -> None:
    fork = repository_to_install(templates, tmp_path / "fork", "v1.0.0")
    (fork / "NEWS").write_text("news", "utf-8")
    commit(fork)
    installed = pip_install(tmp_path / "installed", fork)

    new_project(installed, PATTERNS[0], tmp_path / "order-intake")

    assert git(fork, "rev-parse", "HEAD").startswith(answers(tmp_path / "order-intake")["_commit"])
    assert len(answers(tmp_path / "order-intake")["_commit"]) >= 7


def remembered(installed: Path) -> str:
    """The version or commit that a project made with this installation would remember."""
    code = "from serverless_templates.new import find; print(find().commit)"
    done = run(sys.executable, "-c", code, cwd=installed, env=os.environ | {"PYTHONPATH": str(installed)})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_tag_that_packaging_would_write_in_another_way_is_no_version(templates: Path, tmp_path: Path) -> None:
    """`v2026.01.05` would come back as v2026.1.5, which is no tag."""
    fork = repository_to_install(templates, tmp_path / "fork", "v2026.01.05")

    commit_ = remembered(pip_install(tmp_path / "installed", fork))

    assert len(commit_) >= 7
    assert git(fork, "rev-parse", "HEAD").startswith(commit_)


@pytest.mark.parametrize(
    ("tags", "version"),
    [(("v1.0.0", "v1", "latest"), "v1.0.0"), (("v2026.01.05",), ""), (("v1.0.0.1",), ""), ((), "")],
    ids=str,
)
def test_archive_records_its_version_or_none(
    templates: Path, tmp_path: Path, tags: tuple[str, ...], version: str
) -> None:
    """As a git server packs one: there is no repository, and git has written into it what it knows."""
    fork = repository_to_install(templates, tmp_path / "fork", *tags)
    git(fork, "archive", "--prefix=fork/", f"--output={tmp_path / 'fork.zip'}", "HEAD")

    assert remembered(pip_install(tmp_path / "installed", tmp_path / "fork.zip")) == version


@pytest.mark.parametrize("uncertain", ["no repository", "changes on top", "a file that git does not know"])
def test_unknown_version_is_not_recorded_and_reported(templates: Path, tmp_path: Path, uncertain: str) -> None:
    source = repository_to_install(templates, tmp_path / "source", "v1.0.0")
    if uncertain == "no repository":
        shutil.rmtree(source / ".git")
    elif uncertain == "a file that git does not know":
        (source / "built" / PATTERN / "new.txt").write_text("new", "utf-8")
    else:
        (source / "README.md").write_text("changed", "utf-8")
    installed = pip_install(tmp_path / "installed", source)

    done = new_project(installed, PATTERNS[0], tmp_path / "order-intake")

    assert "_commit" not in answers(tmp_path / "order-intake")
    assert "The template's version is not known" in done.stderr
