"""The command `serverless-templates`. Each command imports what it needs when it runs, so that it starts at once."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
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
SHORT_NAME = "project_slug"
SHELLS = ("bash", "zsh", "fish")


def _complete_pattern(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    del ctx, param
    patterns = _templates().catalogue.patterns.values()
    return [CompletionItem(each.name, help=each.title) for each in patterns if each.name.startswith(incomplete)]


def _complete_data(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the pattern's questions, and behind NAME= the choices of that question."""
    from click.shell_completion import CompletionItem

    del param
    catalogue = _templates().catalogue
    # An option without its value ends click's parsing: the arguments before it are left as they are.
    pattern = ctx.params.get("pattern") or next(iter(ctx.args), "")
    questions = catalogue.questions_of(pattern) if pattern in catalogue.patterns else ()
    offered = [
        CompletionItem(f"{question.name}={choice}", help=question.help)
        for question in questions
        for choice in (question.choices if incomplete.startswith(f"{question.name}=") else [""])
    ]
    return [item for item in offered if item.value.startswith(incomplete)]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  serverless-templates list
  serverless-templates describe queue
  serverless-templates new queue ./order-intake

\b
Exit codes:
  0  it is done
  1  check: the project is behind; update: conflicts are left for you to solve
  2  it could not be done, and nothing has changed""",
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
  serverless-templates new queue ./orders --data project_name=Orders --data aws_region=us-east-1"""
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
    given = _given(questions, data)
    check_destination(destination)
    answers = _answers(questions, given, ask=not defaults, folder=destination)
    create(templates, pattern, destination, answers)
    click.echo(f"Created {answers['project_name']} in {destination}.")
    click.echo(f"\nNext:\n\n  cd {shlex.quote(str(destination))}\n  make test\n  make help\n")
    answered = [argument for name, answer in answers.items() for argument in ("--data", f"{name}={answer}")]
    there = f"./{destination}" if str(destination).startswith("-") else str(destination)
    again = [PROGRAM, "new", pattern, there, "--defaults", *answered]
    click.echo(f"To create it again without questions:\n\n  {shlex.join(again)}")
    if not templates.commit:
        click.echo("The template's version is not known, so this project cannot be updated.", err=True)


def _given(questions: Iterable[Question], data: Iterable[str]) -> dict[str, str]:
    """The answers in `--data`, each checked."""
    from .answers import refusal

    by_name = {question.name: question for question in questions}
    given: dict[str, str] = {}
    for item in data:
        name, equals, answer = item.partition("=")
        if not equals:
            raise UsageError(f"--data {item}: write it as NAME=ANSWER. Example: --data project_name=Orders")
        if name not in by_name:
            raise UsageError(f"--data {name}: there is no such question. There are: {', '.join(by_name)}")
        if name in given:
            raise UsageError(f"--data {name}: answered twice. Leave one out.")
        if reason := refusal(by_name[name], answer):
            raise UsageError(reason)
        given[name] = answer
    return given


def _answers(questions: Iterable[Question], given: Mapping[str, str], *, ask: bool, folder: Path) -> dict[str, str]:
    """An answer to every question: given, asked for, or the default.

    Without a name of its own, a project is called after its folder: services side by side are stacks of their own.
    """
    from .answers import default, refusal

    answers: dict[str, str] = {}
    named = "project_name" in given
    for question in questions:
        suggestion = default(question, answers)
        if question.name == SHORT_NAME and not named:
            suggestion = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
        if question.name in given:
            answers[question.name] = given[question.name]
        elif not ask:
            if reason := refusal(question, suggestion):
                raise UsageError(f"{reason}. Give another with --data {question.name}=…")
            answers[question.name] = suggestion
        elif not sys.stdin.isatty():
            raise UsageError(
                "There is no terminal to ask questions on. Add --defaults, or an answer to each with --data."
            )
        else:
            answers[question.name] = _ask(question, suggestion)
            named = named or (question.name == "project_name" and answers[question.name] != suggestion)
    return answers


def _ask(question: Question, suggestion: str) -> str:
    """Ask until the answer is one that the question takes."""
    from .answers import refusal

    def checked(answer: str) -> str:
        if reason := refusal(question, answer):
            raise click.UsageError(reason)
        return answer

    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    # A suggestion that would be refused is none: a name without a single letter gives no short name, for example.
    offered = None if refusal(question, suggestion) else suggestion
    answer: str = click.prompt(f"{question.help}{choices}", default=offered, value_proc=checked)
    return answer


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
    width = max(len(pattern.name) for pattern in patterns)
    for pattern in patterns:
        state = "" if pattern.state == "complete" else f" ({pattern.state})"
        click.echo(f"{click.style(pattern.name.ljust(width), bold=True)}  {pattern.summary}{state}")


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
        _echo_json(asdict(found) | {"questions": [asdict(question) for question in questions]})
        return
    click.echo(f"{click.style(found.title, bold=True)} ({found.state})\n{found.summary}")
    _echo_section("Use it when", found.use_when)
    _echo_section("Not for", (f"{each.problem}: see {each.instead}" for each in found.not_for))
    _echo_section("Services", (", ".join(found.services),))
    _echo_section("It costs", found.cost_drivers)
    _echo_section("Questions", (f"{each.name}: {each.help}, {each.rule.reason}" for each in questions))


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
        click.confirm("\nUpdate?", abort=True)
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
    _echo_section("In conflict with your changes", left.conflicts)
    _echo_section("No longer in the template, but changed by you, so it stays", left.kept)


@main.command(
    epilog="""\b
Examples:
  serverless-templates check
  serverless-templates check ./order-intake

\b
Exit codes:
  0  up to date
  1  behind
  2  it cannot be told"""
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
  eval "$(serverless-templates completion bash)"     in ~/.bashrc
  eval "$(serverless-templates completion zsh)"      in ~/.zshrc
  serverless-templates completion fish | source      in ~/.config/fish/config.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that makes SHELL complete this command."""
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    if complete is None:  # cannot be: each of SHELLS has one
        raise UsageError(f"{shell}: completion is not supported. Choose one of {', '.join(SHELLS)}.")
    click.echo(complete(main, {}, PROGRAM, "_SERVERLESS_TEMPLATES_COMPLETE").source())


def _templates() -> Templates:
    from .new import find

    try:
        return find()
    except BuildError as error:
        raise UsageError(f"The templates are broken: {error}") from error


def _pattern(catalogue: Catalogue, name: str) -> Pattern:
    if new := catalogue.renamed_patterns().get(name):
        raise UsageError(f"{name}: this pattern is called {new} now. Name it so.")
    if name not in catalogue.patterns:
        raise UsageError(f"{name}: there is no such pattern. There are: {', '.join(catalogue.patterns)}")
    return catalogue.patterns[name]


def _echo_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _echo_section(title: str, lines: Iterable[str]) -> None:
    if items := list(lines):
        click.echo(f"\n{click.style(title, bold=True)}")
        for item in items:
            click.echo(f"  {item}")
