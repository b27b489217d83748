"""Answers to the questions: what their defaults are, and which are refused, in the words that every way in uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from .catalogue import Question

if TYPE_CHECKING:
    from jinja2 import Environment

SHOWN = 60
# Without a name of its own, a project is called after its folder: services side by side are stacks of their own.
SHORT_NAME = "project_slug"
NOT_IN_SHORT_NAME = "[^a-z0-9]+"


def refusal(question: Question, value: str) -> str | None:
    """Why `value` is refused as an answer to `question`; None when it is not."""
    rule = question.rule
    if re.fullmatch(rule.matches, value):
        return None
    shown = value if len(value) <= SHOWN else value[: SHOWN - 3] + "..."
    return f"{question.name}: {shown!r} is refused. It must be {rule.reason}. Example: {rule.example}"


def chosen(question: Question, answer: str, *, numbers: bool = False) -> str:
    """The choice that `answer` means, by its name in any case, or by its number; `answer` itself when it means none."""
    named = {choice.lower(): choice for choice in question.choices} | {choice: choice for choice in question.choices}
    numbered = {str(number): choice for number, choice in enumerate(question.choices, start=1)} if numbers else {}
    return (numbered | named).get(answer, named.get(answer.lower(), answer))


def short_name(folder: str) -> str:
    """The short name that follows from the name of a project's folder; what is left of it may be refused."""
    return re.sub(NOT_IN_SHORT_NAME, "-", folder.lower()).strip("-")


def follows(question: Question, others: Iterable[str]) -> bool:
    """Whether the default of `question` follows from the answer to one of `others`."""
    return any(f"cookiecutter.{name}" in question.default for name in others)


def asked(question: Question) -> str:
    """What `question` asks, and its rule; the caller shows the choices."""
    return question.help if question.choices else f"{question.help}: {question.rule.reason}"


def default(question: Question, answers: Mapping[str, str]) -> str:
    """The default of `question`, given the answers to those before it.

    Raises:
        jinja2.TemplateError: the default is not Jinja, or asks for an answer that is not there.
    """
    return _jinja().from_string(question.default).render(cookiecutter=answers)


def defaults(questions: Iterable[Question], given: Mapping[str, str]) -> dict[str, str]:
    """An answer to each of `questions`: the one given, or else the default."""
    answers: dict[str, str] = {}
    for question in questions:
        answers[question.name] = given[question.name] if question.name in given else default(question, answers)
    return answers


@cache
def _jinja() -> Environment:
    """Jinja as both engines have it in common: no filters of theirs, and nothing undefined passes unseen."""
    from jinja2 import Environment, StrictUndefined  # imported late: the command line seldom needs it

    return Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - no HTML here
