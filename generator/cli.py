"""The command `serverless-templates`. Each command imports what it needs when it runs, so that it starts at once."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .errors import BuildError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from .catalogue import Catalogue, Pattern, Question
    from .new import Templates
    from .update import Left, Versions

PROGRAM = "serverless-templates"
COMPLETE = "_SERVERLESS_TEMPLATES_COMPLETE"  # click's name for it
SHELLS = ("bash", "zsh", "fish")
SAID_NO = 3
INTERRUPTED = 130  # as shells say it: 128, and 2 for SIGINT
UNBROKEN = 10_000  # columns, where no terminal has a width


class _Command(click.Command):
    """A command whose whole description is in the list of commands; click would cut it to one line."""

    def get_short_help_str(self, limit: int = UNBROKEN) -> str:
        return super().get_short_help_str(max(limit, UNBROKEN))


class _Group(click.Group):
    """The commands. Ctrl-C has an exit code of its own: click's is 1, which means something here."""

    command_class = _Command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.Abort, KeyboardInterrupt):
            click.echo("\nStopped.", err=True)
            ctx.exit(INTERRUPTED)


def _complete_pattern(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from .completion import patterns

    del ctx, param
    return patterns(_templates().catalogue, incomplete)


def _complete_data(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from .completion import data

    del param
    # An option without its value ends click's parsing: the arguments before it are left as they are.
    return data(_templates().catalogue, ctx.params.get("pattern") or next(iter(ctx.args), ""), incomplete)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  serverless-templates list
  serverless-templates describe queue
  serverless-templates new queue ./order-intake

\b
Exit codes:
  0  it is done
  1  check: the project is behind
     update: conflicts are left for you to solve
  2  it could not be done, and nothing has changed
  3  you said no, and nothing has changed
  130  stopped by Ctrl-C, or by the end of the input""",
)
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Create serverless projects for AWS, and keep them up to date with their template."""
    if os.environ.get("NO_COLOR"):
        context.color = False


@main.command(
    epilog="""\b
Examples:
  serverless-templates new queue ./order-intake
  serverless-templates new queue ./order-intake --defaults
  serverless-templates new queue ./orders \\
    --data project_name=Orders --data aws_region=us-east-1

A choice is named in any case, or typed by its number."""
)
@click.argument("pattern", shell_complete=_complete_pattern)
@click.argument("destination", type=click.Path(path_type=Path))
@click.option(
    "--data",
    "-d",
    multiple=True,
    metavar="NAME=ANSWER",
    shell_complete=_complete_data,
    help="Answer a question; it is not asked then.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: take the default where there is no --data.")
def new(pattern: str, destination: Path, data: tuple[str, ...], defaults: bool) -> None:  # noqa: FBT001 - click's way
    """Create a project of PATTERN in the folder DESTINATION, which must be empty or not there."""
    from .new import check_destination, create

    templates = _templates()
    questions = templates.catalogue.questions_of(_pattern(templates.catalogue, pattern).name)
    check_destination(destination)
    answers = _answers(questions, data, ask=not defaults, folder=destination)
    create(templates, pattern, destination, answers)
    click.echo(f"Created {answers['project_name']} in {destination}.")
    click.echo(f"\nNext:\n\n  cd {shlex.quote(str(destination))}\n  make test\n  make help\n")
    answered = [argument for name, answer in answers.items() for argument in ("--data", f"{name}={answer}")]
    there = f"./{destination}" if str(destination).startswith("-") else str(destination)
    again = [PROGRAM, "new", pattern, there, "--defaults", *answered]
    click.echo(f"To create it again without questions:\n\n  {shlex.join(again)}")
    if not templates.commit:
        click.echo("The template's version is not known, so this project cannot be updated.", err=True)


def _given(questions: Iterable[Question], data: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The answers in `--data`, and why each that is refused is: by the question's name, or by all of the `--data`."""
    from .answers import chosen

    by_name = {question.name: question for question in questions}
    given: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for item in data:
        name, equals, answer = item.partition("=")
        if not equals:
            wrong[item] = f"--data {item}: write it as NAME=ANSWER. Example: --data project_name=Orders"
        elif name not in by_name:
            known = f"There are: {', '.join(by_name)}"
            wrong[item] = f"--data {name}: there is no such question.{_meant(name, by_name)} {known}"
        elif name in given:
            wrong[item] = f"--data {name}: answered twice. Leave one out."
        else:
            question = by_name[name]
            given[name] = chosen(question, answer)
            if reason := _refusal(question, given[name]):
                wrong[name] = reason
    return given, wrong


def _answers(questions: Collection[Question], data: Iterable[str], *, ask: bool, folder: Path) -> dict[str, str]:
    """An answer to every question: given, asked for, or the default.

    Raises:
        UsageError: answers are refused. Names all of them.
    """
    from .answers import SHORT_NAME, default, follows, refusal, short_name

    given, wrong = _given(questions, data)
    if ask and not wrong and len(given) < len(questions) and not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask questions on. Add --defaults, or an answer to each with --data.")
    answers: dict[str, str] = {}
    named = "project_name" in given
    for number, question in enumerate(questions, start=1):
        if question.name in given:
            answers[question.name] = given[question.name]
            continue
        suggestion = default(question, answers)
        if question.name == SHORT_NAME and not named:
            suggestion = short_name(folder.resolve().name)
        if ask and not wrong:
            answers[question.name] = _ask(question, suggestion, f"{number}/{len(questions)}")
            named = named or (question.name == "project_name" and answers[question.name] != suggestion)
            continue
        answers[question.name] = suggestion
        if not ask and not follows(question, wrong) and (reason := refusal(question, suggestion)):
            wrong[question.name] = f"{reason}. Give another with --data {question.name}=…"
    if wrong:
        raise UsageError("\n".join(wrong.values()))
    return answers


def _ask(question: Question, suggestion: str, number: str) -> str:
    """Show a question and its rule, and ask until the answer follows it."""
    from .answers import chosen, refusal

    def checked(answer: str) -> str:
        answer = chosen(question, answer, numbers=True)
        if reason := _refusal(question, answer):
            raise click.UsageError(reason)
        return answer

    choices = ", ".join(f"{place}: {choice}" for place, choice in enumerate(question.choices, start=1))
    rule = choices or question.rule.reason
    click.echo(f"\n{_wrapped(f'{number} {question.help}', '', '')}\n{_wrapped(rule, rest='  ')}")
    # Suggest nothing that would be refused: a name without a single letter gives no short name, for example.
    offered = None if refusal(question, suggestion) else suggestion
    name = click.style(question.name, bold=True)
    answer: str = click.prompt(name, default=offered, show_default=bool(offered), value_proc=checked)
    return answer


def _refusal(question: Question, answer: str) -> str | None:
    from .answers import refusal

    reason, meant = refusal(question, answer), _meant(answer, question.choices)
    return f"{reason}.{meant}" if reason and meant else reason


def _meant(word: str, known: Iterable[str]) -> str:
    """A question whether the closest of `known` was meant; empty when none is close."""
    from difflib import get_close_matches

    by_lower = {each.lower(): each for each in known}
    return "".join(f" Did you mean {by_lower[found]}?" for found in get_close_matches(word.lower(), by_lower, n=1))


@main.command(
    "list",
    epilog="""\b
Examples:
  serverless-templates list
  serverless-templates list --json""",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def list_patterns(as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Show the patterns there are."""
    patterns = _templates().catalogue.patterns.values()
    if as_json:
        _echo_json([{key: getattr(each, key) for key in ("name", "title", "summary", "state")} for each in patterns])
        return
    table = click.HelpFormatter(width=_width())
    table.write_dl(
        [
            (click.style(each.name, bold=True), each.summary + ("" if each.state == "complete" else f" ({each.state})"))
            for each in patterns
        ]
    )
    click.echo(table.getvalue(), nl=False)


@main.command(
    epilog="""\b
Examples:
  serverless-templates describe queue
  serverless-templates describe queue --json"""
)
@click.argument("pattern", shell_complete=_complete_pattern)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def describe(pattern: str, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Show what PATTERN is for, what it is not for, what it uses, asks and costs."""
    catalogue = _templates().catalogue
    found = _pattern(catalogue, pattern)
    questions = catalogue.questions_of(pattern)
    if as_json:
        not_for = [asdict(each) | {"planned": each.instead in catalogue.planned} for each in found.not_for]
        _echo_json(asdict(found) | {"not_for": not_for, "questions": [asdict(question) for question in questions]})
        return
    click.echo(f"{click.style(found.title, bold=True)} ({found.state})\n{_wrapped(found.summary, '', '')}")
    instead = {name: f"{name}, which is planned and not there yet" for name in catalogue.planned}
    not_for_lines = (f"{each.problem}: see {instead.get(each.instead, each.instead)}" for each in found.not_for)
    _echo_section("Use it when", map(_wrapped, found.use_when))
    _echo_section("Not for", map(_wrapped, not_for_lines))
    _echo_section("Services", (_wrapped(", ".join(found.services)),))
    _echo_section("It costs", map(_wrapped, found.cost_drivers))
    _echo_section("Questions", (_wrapped(f"{each.name}: {each.help}: {each.rule.reason}") for each in questions))


@main.command(
    epilog="""\b
Examples:
  serverless-templates update
  serverless-templates update ./order-intake --dry-run
  serverless-templates update --yes

Commit the result like any other change; until then,
`git restore --source=HEAD --staged --worktree . && git clean -fd .` takes it back."""
)
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before changing anything.")
@click.pass_context
def update(context: click.Context, folder: Path, dry_run: bool, yes: bool) -> None:  # noqa: FBT001 - click's way
    """Bring the project in FOLDER (default: here) up to date with its template, keeping your changes."""
    from . import update as updating

    project = updating.find_project(folder)
    updating.check_clean(project)
    versions = updating.newer(project)
    _echo_passed_over(versions)
    if not versions.behind:
        click.echo("Up to date.")
        return
    click.echo(f"From {versions.current} to {versions.latest}:\n")
    _echo_changes(*updating.preview(project, versions.latest))
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("There is no terminal to ask on. Add --yes to update, or --dry-run to only look.")
        if not click.confirm("\nUpdate?"):
            context.exit(SAID_NO)
    left = updating.update(project, versions.latest)
    click.echo("\nUpdated. Look at the changes with `git diff`, run `make test`, and commit them.")
    if left.conflicts:
        files = ", ".join(left.conflicts)
        click.echo(f"Solve the conflicts first, between <<<<<<< and >>>>>>> in: {files}", err=True)
        if any(file.endswith(".rej") for file in left.conflicts):
            click.echo("A .rej file holds a change of yours that is missing beside it: make it again there.", err=True)
        context.exit(1)


def _echo_passed_over(versions: Versions) -> None:
    if versions.passed_over:
        click.echo(
            f"Passed over: {versions.passed_over}. It does not contain {versions.current}, or is not on the template's "
            "own line of releases, as when a fork has fetched the tags of upstream.",
            err=True,
        )


def _echo_changes(summary: str, left: Left) -> None:
    click.echo(summary or "Nothing but the version that the project remembers.")
    _echo_section("In conflict with your changes", (f"  {path}" for path in left.conflicts))
    _echo_section("No longer in the template, but changed by you, so it stays", (f"  {path}" for path in left.kept))


@main.command(
    epilog="""\b
Examples:
  serverless-templates check
  serverless-templates check ./order-intake

\b
Exit codes:
  0  up to date
  1  behind
  2  unknown, because of an error"""
)
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.pass_context
def check(context: click.Context, folder: Path) -> None:
    """Tell whether the project in FOLDER (default: here) is behind its template."""
    from . import update as updating

    versions = updating.newer(updating.find_project(folder))
    _echo_passed_over(versions)
    if not versions.behind:
        click.echo("Up to date.")
        return
    click.echo(f"Behind: it has {versions.current}, and there is {versions.latest}. Run `{PROGRAM} update`.")
    context.exit(1)


@main.command(
    epilog="""\b
Examples:
  # in ~/.bashrc
  eval "$(serverless-templates completion bash)"
  # in ~/.zshrc
  eval "$(serverless-templates completion zsh)"
  # in ~/.config/fish/config.fish
  serverless-templates completion fish | source"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that makes SHELL complete this command."""
    from click.shell_completion import get_completion_class

    _complete_in_bash()
    complete = get_completion_class(shell)
    if complete is None:  # cannot be: each of SHELLS has one
        raise UsageError(f"{shell}: completion is not supported. Choose one of {', '.join(SHELLS)}.")
    click.echo(complete(main, {}, PROGRAM, COMPLETE).source())


def _complete_in_bash() -> None:
    """Let click complete in bash as `completion.Bash` does."""
    from click.shell_completion import add_completion_class

    from .completion import Bash

    add_completion_class(Bash, "bash")


def _templates() -> Templates:
    from .new import find

    try:
        return find()
    except BuildError as error:
        raise UsageError(f"The templates are broken: {error}") from error


def _pattern(catalogue: Catalogue, name: str) -> Pattern:
    if new := catalogue.renamed_patterns().get(name):
        raise UsageError(f"{name}: this pattern is called {new} now. Name it so.")
    there_are = f"There are: {', '.join(catalogue.patterns)}"
    if name in catalogue.planned:
        raise UsageError(f"{name}: this pattern is planned, and not there yet: {catalogue.planned[name]}. {there_are}")
    if name not in catalogue.patterns:
        raise UsageError(f"{name}: there is no such pattern.{_meant(name, catalogue.patterns)} {there_are}")
    return catalogue.patterns[name]


def _echo_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _echo_section(title: str, lines: Iterable[str]) -> None:
    if items := list(lines):
        click.echo(f"\n{click.style(title, bold=True)}")
        for item in items:
            click.echo(item)


def _width() -> int:
    """The terminal's columns. Elsewhere no line is broken, for what reads line by line."""
    return shutil.get_terminal_size(fallback=(UNBROKEN, 0)).columns


def _wrapped(text: str, first: str = "  ", rest: str = "    ") -> str:
    """`text` in lines that fit the terminal; `first` and `rest` stand before its first line and the others."""
    return click.wrap_text(text, _width(), first, rest)


if COMPLETE in os.environ:  # click completes before it runs anything of ours
    _complete_in_bash()
