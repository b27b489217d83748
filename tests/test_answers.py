"""An answer is refused before anything is written, in the same words everywhere, or comes out exactly as itself."""

import ast
import functools
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cookiecutter.utils import create_env_with_context
from helpers import ANSWERS_FILE, CATALOGUE, PATTERNS, ROOT, answers, comparable, everything, run, tree, write_files
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jinja2 import Template
from rich.text import Text
from serverless_templates.answers import refusal
from serverless_templates.build import build
from serverless_templates.new import Templates
from serverless_templates.new import create as create_project
from ways import JUDGES, WAYS, Request, complete, create

PATTERN = PATTERNS[0]
QUESTIONS = {question.name: question for question in CATALOGUE.questions}

REFUSED = {
    "empty name": ("project_name", ""),
    "name of 200 characters": ("project_name", "x" * 200),
    "name of spaces": ("project_name", "   "),
    "name with a newline": ("project_name", "one\ntwo: three"),
    "name with a newline at the end": ("project_name", "one\n"),
    "name with a carriage return": ("project_name", "one\rtwo"),
    "name with a tab": ("project_name", "one\ttwo"),
    "name with a line separator": ("project_name", "one\u2028two"),
    "name that is not Unicode": ("project_name", "one\udcfftwo"),
    "name that YAML refuses": ("project_name", "one\ufffetwo"),
    "name with an expression": ("project_name", "{{ 6*7 }}"),
    "name with a statement": ("project_name", "{% raw %}"),
    "name with a comment": ("project_name", "one {# two #}"),
    "name without a letter for the short name": ("project_name", "日本語"),
    "short name above the folder": ("project_slug", "../evil"),
    "short name above the folder, and deeper": ("project_slug", "../evil/deep/er"),
    "short name that is an absolute path": ("project_slug", "{outside}"),
    "short name that is this folder": ("project_slug", "."),
    "short name that is an option": ("project_slug", "-rf"),
    "short name of 31 characters": ("project_slug", "x" * 31),
    "short name of 300 characters": ("project_slug", "x" * 300),
    "short name of a device": ("project_slug", "con"),
    "short name with a backslash": ("project_slug", "..\\evil"),
    "short name with an expression": ("project_slug", "{{ 'abc' }}"),
    "empty short name": ("project_slug", ""),
    "owner above the folder": ("owner", "@../evil"),
    "owner with an expression": ("owner", "{{ cookiecutter.project_name }}"),
    "repository above the folder": ("repository", "org/.."),
    "region in China": ("aws_region", "cn-north-1"),
    "region of GovCloud": ("aws_region", "us-gov-west-1"),
    "isolated region": ("aws_region", "eu-isoe-west-1"),
    "sovereign region": ("aws_region", "eusc-de-east-1"),
    "region of another cloud": ("aws_region", "us-central-1"),
    "region that cannot be": ("aws_region", "xx-nowhere-9"),
    "region with a letter missing": ("aws_region", "eu-wst-1"),
    "region with a number too long": ("aws_region", "eu-west-11"),
    "region in capitals": ("aws_region", "EU-WEST-1"),
    "region with a command": ("aws_region", "eu-west-1; reboot"),
    "version that is no choice": ("python_version", "2.7"),
    "mail address without a domain": ("alarm_email", "nobody"),
    "mail address with a quote": ("alarm_email", 'a"b@example.com'),
    "mail address with an expression": ("alarm_email", "{{ 6*7 }}@example.com"),
}
ACCEPTED = {
    "quotes": ("project_name", 'It\'s "quoted" `twice`'),
    "backslash": ("project_name", "C:\\new\\table\\"),
    "path": ("project_name", "../evil"),
    "option": ("project_name", "--force"),
    "substitution": ("project_name", "${AWS::AccountId} $HOME $(reboot) %PATH%"),
    "emoji": ("project_name", "Orders 😀"),
    "markup": ("project_name", "<b>&amp;</b> [link](x) | *a*"),
    "YAML": ("project_name", "orders: # - & * ! | > @ ?"),
    "single braces": ("project_name", "{orders} %} }} #}"),
    "60 characters": ("project_name", "x" * 60),
    "a truth": ("project_name", "yes"),
    "mail address": ("alarm_email", "on-call+prod@alarms.example.org"),
    "no mail address": ("alarm_email", ""),
    "keyword": ("project_slug", "class"),
    "module": ("project_slug", "lambda"),
    "newest region": ("aws_region", "ap-southeast-7"),
    "folder of the project": ("project_slug", "test"),
    "30 characters": ("project_slug", "x" * 30),
    "description": ("description", '\'\'\'""" \\u0041 \\ " {x} <>'),
}

Ask = Callable[[str, dict[str, str]], Request]


@pytest.fixture
def ask(templates: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Ask:
    def _ask(way: str, given_answers: dict[str, str]) -> Request:
        sam = request.getfixturevalue("sam") if way == "sam init" else ""
        return Request(templates, PATTERN, given_answers, tmp_path / "work/output", sam)

    return _ask


def reason(name: str, value: str) -> str:
    """The words in which `value` is refused, or those about the default that follows from it."""
    for question, answer in complete(PATTERN, {name: value}).items():
        if words := refusal(QUESTIONS[question], answer):
            return words
    pytest.fail(f"{name}={value!r} is not refused")


def printed(text: str) -> str:
    """What a program printed, without the line breaks that some put in to fit a terminal."""
    return " ".join(text.replace("│", " ").split())


def assert_refused(way: str, request: Request, tmp_path: Path, words: str) -> None:
    request.output.mkdir(parents=True)
    write_files(tmp_path, {"work/mine.txt": "mine", "evil/mine.txt": "mine"})
    before = everything(tmp_path)

    done = WAYS.get(way, JUDGES.get(way))(request)

    assert done.returncode != 0
    assert printed(words) in printed(done.stderr)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(("name", "value"), REFUSED.values(), ids=REFUSED)
def test_refused_before_anything_is_written(judge: str, name: str, value: str, ask: Ask, tmp_path: Path) -> None:
    value = value.replace("{outside}", str(tmp_path / "outside"))
    if name == "python_version" and judge != "serverless-templates":
        # Engines refuse what is no choice by themselves, each in its own words.
        words = {"cookiecutter": "2.7 provided for choice variable python_version", "copier": "'2.7' is not in"}[judge]
    else:
        words = reason(name, value)

    assert_refused(judge, ask(judge, {name: value}), tmp_path, words)


def test_the_rule_for_regions_takes_every_region_of_the_partition_and_no_other() -> None:
    (installed,) = (ROOT / ".venv-generated").glob("lib/python*/site-packages/botocore/data/partitions.json")
    regions = {
        partition["id"]: {name for name in partition["regions"] if not name.endswith("-global")}
        for partition in json.loads(installed.read_text("utf-8"))["partitions"]
    }

    taken = {name for names in regions.values() for name in names if not refusal(QUESTIONS["aws_region"], name)}

    assert len(taken) > 30
    assert taken == regions["aws"]


# Several wrong answers at once

WRONG = {"project_slug": "No Slug", "owner": "me", "aws_region": "us-central-1"}
GOOD = {"project_name": 'It\'s "mine" [bold]', "description": "Sells $things and more"}


@pytest.mark.parametrize("way", ["cookiecutter --directory", "cookiecutter menu", "cruft create", "sam init"])
def test_all_invalid_answers_are_reported_at_once(way: str, ask: Ask) -> None:
    request = ask(way, WRONG | GOOD)
    request.output.mkdir(parents=True)

    done = WAYS[way](request)

    assert done.returncode != 0
    # The repository, which follows from two of them, is not wrong by itself.
    assert re.findall(r"(?m)^  (\w+): .* is refused", done.stderr) == list(WRONG)
    for name, value in WRONG.items():
        assert refusal(QUESTIONS[name], value) in done.stderr
    assert everything(request.output) == set()


def command_to_run_again(stderr: str) -> list[str]:
    (command,) = (line for line in stderr.splitlines() if line.startswith(("  cookiecutter ", "  cruft ")))
    return shlex.split(command)


@pytest.mark.parametrize(
    "way",
    ["cookiecutter --directory", "cookiecutter path", "cookiecutter zip", "cookiecutter git url", "cookiecutter menu"],
)
def test_the_command_that_cookiecutters_hook_prints_keeps_the_good_answers(way: str, ask: Ask) -> None:
    request = ask(way, WRONG | GOOD)
    request.output.mkdir(parents=True)
    refused = WAYS[way](request)

    # Only the wrong answers are typed; for the others, an empty line takes what the command has.
    right = {"project_slug": "mine", "owner": "@acme/shop", "aws_region": "us-west-2"}
    typed = "".join(f"{right.get(question.name, '')}\n" for question in CATALOGUE.questions_of(PATTERN))
    if way == "cookiecutter git url":  # first it asks whether to download the templates again
        typed = f"\n{typed}"
    done = run(*command_to_run_again(refused.stderr), input=typed)

    assert done.returncode == 0, done.stdout + done.stderr
    assert answers(request.output / "mine").items() >= complete(PATTERN, GOOD | right).items()


def test_the_command_that_the_hook_prints_for_cruft_keeps_the_good_answers(ask: Ask) -> None:
    request = ask("cruft create", WRONG | GOOD)
    request.output.mkdir(parents=True)
    refused = WAYS["cruft create"](request)

    right = {"project_slug": "mine", "owner": "@acme/shop", "aws_region": "us-west-2"}
    typed = "".join(f"{right.get(question.name, '')}\n" for question in CATALOGUE.questions_of(PATTERN))
    done = run(*command_to_run_again(refused.stderr), input=typed)

    assert done.returncode == 0, done.stdout + done.stderr
    assert answers(request.output / "mine").items() >= complete(PATTERN, GOOD | right).items()


def test_the_command_that_the_hook_prints_has_no_password(templates: Path, tmp_path: Path) -> None:
    hook = templates / f"built/{PATTERN}/hooks/pre_gen_project.py"
    address = {"_template": "https://bot:pa55word@git.example.com/t.git", "__pattern": PATTERN}
    context = complete(PATTERN, {"owner": "me"}) | address
    filled_in = create_env_with_context({"cookiecutter": context}).from_string(hook.read_text("utf-8"))
    (tmp_path / "hook.py").write_text(filled_in.render(cookiecutter=context), "utf-8")

    done = run(sys.executable, tmp_path / "hook.py", cwd=tmp_path)

    assert "https://git.example.com/t.git" in command_to_run_again(done.stderr)
    assert "pa55word" not in done.stderr


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_engine_states_the_rule_in_the_question(pattern: str, templates: Path) -> None:
    prompts = json.loads((templates / f"built/{pattern}/cookiecutter.json").read_text("utf-8"))["__prompts__"]
    copier = yaml.safe_load((templates / "copier.yml").read_text("utf-8"))

    for question in CATALOGUE.questions_of(pattern):
        rule = "" if question.choices else question.rule.reason
        shown = Text.from_markup(prompts[question.name]).plain  # cookiecutter asks with rich
        assert shown.startswith(question.help)
        assert shown.endswith(rule)
        # As copier renders it: with Jinja.
        assert Template(copier[question.name]["help"]).render() == shown


def test_a_question_with_brackets_is_shown_with_them(sources: Path) -> None:
    catalogue = sources / "templates/catalogue.yaml"
    catalogue.write_text(catalogue.read_text("utf-8").replace("help: Size", "help: Size [red]x[/red] [1]"), "utf-8")

    prompts = json.loads(build(sources)["built/first/cookiecutter.json"].content)["__prompts__"]

    assert Text.from_markup(prompts["size"]).plain == "Size [red]x[/red] [1]"


@pytest.mark.parametrize("way", ["cookiecutter menu", "cookiecutter zip", "copier recopy", "cruft create", "sam init"])
@pytest.mark.parametrize(
    "case", ["short name above the folder, and deeper", "name with a line separator", "owner above the folder"]
)
def test_refused_by_every_other_way_too(way: str, case: str, ask: Ask, tmp_path: Path) -> None:
    name, value = REFUSED[case]
    request = ask(way, {name: value})
    request.output.mkdir(parents=True)

    done = WAYS[way](request)

    assert done.returncode != 0
    assert printed(reason(name, value)) in printed(done.stderr + done.stdout)
    assert everything(request.output) == set()
    assert not (tmp_path / "evil").exists()


def test_an_expression_that_cannot_be_evaluated_stops_cookiecutter_before_anything_is_written(
    ask: Ask, tmp_path: Path
) -> None:
    # Cookiecutter itself stops here, with a traceback: no hook has run yet.
    assert_refused("cookiecutter", ask("cookiecutter", {"project_name": "one {# two"}), tmp_path, "TemplateSyntaxError")


@pytest.mark.parametrize("way", ["sam init", "cookiecutter zip"])
def test_an_expression_is_refused_and_not_evaluated(way: str, ask: Ask, tmp_path: Path) -> None:
    # With a short name, so that nothing else is wrong: evaluated, the name would be 42, which is a name.
    request = ask(way, {"project_name": "{{ 6*7 }}", "project_slug": "orders"})
    request.output.mkdir(parents=True)

    done = WAYS[way](request)

    assert done.returncode != 0
    assert "project_name: '{{ 6*7 }}' is refused" in done.stderr
    assert everything(request.output) == set()
    assert not (tmp_path / "evil").exists()


def test_cruft_evaluates_an_expression_before_a_template_can_refuse_it(ask: Ask) -> None:
    # Cruft does not pass on what was given, so the hook can only judge what came of it. Should cruft ever pass it on
    # or refuse it, then this test fails and the sentence about cruft in the documentation can go.
    project = create(WAYS["cruft create"], ask("cruft create", {"project_name": "{{ 6*7 }}", "project_slug": "orders"}))

    assert answers(project)["project_name"] == "42"


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize(("name", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_and_remembered_as_given(judge: str, name: str, value: str, ask: Ask) -> None:
    slug = {} if name == "project_slug" else {"project_slug": "orders"}

    project = create(JUDGES[judge], ask(judge, slug | {name: value}))

    assert answers(project)[name] == value


# What an accepted answer becomes in each file


class AnyTag(yaml.SafeLoader):
    """Reads CloudFormation's `!Sub x` as `x`."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


AnyTag.add_multi_constructor("!", _plain)

PARSERS: dict[str, Callable[[str], Any]] = {
    ".yaml": lambda text: list(yaml.load_all(text, Loader=AnyTag)),
    ".yml": lambda text: list(yaml.load_all(text, Loader=AnyTag)),
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".py": lambda text: ast.dump(ast.parse(text)),
}
# In a project made with these, they stand wherever the answers do.
STAND_INS = {"project_name": "Stand-in for the name", "description": "Stand-in for the description"}


def replaced(data: Any, values: dict[str, str]) -> Any:
    """`data` with the stand-ins in its texts replaced by `values`."""
    match data:
        case str():
            for name, stand_in in STAND_INS.items():
                data = data.replace(stand_in, values[name])
            return data
        case dict():
            return {replaced(key, values): replaced(value, values) for key, value in data.items()}
        case list():
            return [replaced(item, values) for item in data]
        case _:
            return data


@pytest.fixture(scope="module")
def render(
    _templates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, dict[str, str]], dict[str, str]]:
    """The texts of a project, made quickly: in this process."""
    templates = Templates(_templates, CATALOGUE, "v0.1.0", "somewhere")

    def _render(pattern: str, given_answers: dict[str, str]) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("rendered") / "project"
        create_project(templates, pattern, folder, complete(pattern, {"project_slug": "orders"} | given_answers))
        files = {path: content for path, (content, _) in tree(folder).items()}
        return {path: content.decode() for path, content in files.items() if _is_text(content)}

    return _render


@pytest.fixture(scope="module")
def stand_ins(render: Callable[[str, dict[str, str]], dict[str, str]]) -> Callable[[str], dict[str, str]]:
    """The texts of a project in which the stand-ins are the answers."""
    return functools.cache(lambda pattern: render(pattern, STAND_INS))


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _names(name: str) -> st.SearchStrategy[str]:
    return st.from_regex(QUESTIONS[name].rule.matches, fullmatch=True)


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(name=_names("project_name"), description=_names("description"))
@example(name="\\", description='"')
@example(name="C:\\new\\", description="It's \"said\": # {x} 😀 <b>&amp;</b> '''")
@example(name="yes", description="- [ ] | > * & ! @ ` % ?")
def test_accepted_answers_are_unchanged_in_every_file(
    pattern: str,
    name: str,
    description: str,
    render: Callable[[str, dict[str, str]], dict[str, str]],
    stand_ins: Callable[[str], dict[str, str]],
) -> None:
    values = {"project_name": name, "description": description}
    expected = stand_ins(pattern)
    actual = render(pattern, values)

    assert actual.keys() == expected.keys()
    for path, text in actual.items():
        suffix = Path(path).suffix
        if suffix in PARSERS:
            assert PARSERS[suffix](text) == replaced(PARSERS[suffix](expected[path]), values), path
        else:
            assert text == replaced(expected[path], values), path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_alarms_of_prod_go_to_the_given_address_and_to_nobody_elsewhere(
    pattern: str, render: Callable[[str, dict[str, str]], dict[str, str]]
) -> None:
    sections = tomllib.loads(render(pattern, {"alarm_email": "a@example.com"})["samconfig.toml"])
    emails = {
        name: [text for text in sections[name]["deploy"]["parameters"]["parameter_overrides"] if "AlarmEmail" in text]
        for name in ("dev", "staging", "prod", "local")
    }

    assert emails.pop("prod") == ['AlarmEmail="a@example.com"']
    assert emails == {env: ['AlarmEmail=""'] for env in ("dev", "staging", "local")}


# Where a project is to go, and what is not there


@pytest.mark.parametrize("judge", ["cookiecutter", "serverless-templates"])
def test_non_empty_folder_is_left_alone(judge: str, ask: Ask, tmp_path: Path) -> None:
    request = ask(judge, {"project_slug": "project"})
    write_files(tmp_path, {"work/output/project/mine.txt": "mine"})
    before = tree(tmp_path)

    done = JUDGES[judge](request)

    assert done.returncode != 0
    assert str(request.output / "project") in printed(done.stderr + done.stdout)
    assert tree(tmp_path) == before


def test_copier_adds_to_a_non_empty_folder_and_overwrites_nothing(ask: Ask, tmp_path: Path) -> None:
    write_files(tmp_path, {"work/output/project/mine.txt": "mine", "work/output/project/template.yaml": "mine"})

    done = JUDGES["copier"](ask("copier", {}))

    assert done.returncode != 0
    assert "overwrite" in printed(done.stderr).lower()
    assert {
        path: (tmp_path / "work/output/project" / path).read_text("utf-8") for path in ("mine.txt", "template.yaml")
    } == {
        "mine.txt": "mine",
        "template.yaml": "mine",
    }


@pytest.mark.parametrize("judge", JUDGES)
def test_folder_without_write_permission_is_an_error(judge: str, ask: Ask, tmp_path: Path) -> None:
    # A file where a folder should be: no permission helps, not even root's.
    write_files(tmp_path, {"work/output": "a file"})

    done = JUDGES[judge](ask(judge, {}))

    assert done.returncode != 0
    assert str(tmp_path / "work/output") in printed(done.stderr + done.stdout)
    assert everything(tmp_path) == {"work", "work/output"}


@pytest.mark.parametrize("judge", ["cookiecutter path", "copier copy", "serverless-templates new"])
def test_without_git_the_project_is_the_same_but_does_not_say_where_it_came_from(
    judge: str, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_git = comparable(create(WAYS[judge], ask(judge, {})))
    (tmp_path / "work").rename(tmp_path / "with-git")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    project = create(WAYS[judge], ask(judge, {}))

    assert comparable(project) == with_git
    assert not {"_commit", "_src_path"} & answers(project).keys()
    assert (project / ANSWERS_FILE).read_text("utf-8").startswith("#")
