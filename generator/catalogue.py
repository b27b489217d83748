"""Reads `templates/catalogue.yaml` and each `pattern.yaml`, and refuses what does not belong there."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from .errors import BuildError

# Names that an engine keeps for itself, and those that a dictionary's methods would hide from `cookiecutter.<name>`.
RESERVED_NAMES = {"pattern", "cookiecutter", "template", "templates", "now", "make_secret", *dir(dict)}
NAME = re.compile(r"[a-z][a-z0-9_]*")
PATTERN_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
STATES = ("complete", "preview")
# What cookiecutter would evaluate when a value on its command line holds it: no rule may let these through.
EVALUATED = ("{{", "{%", "{#")


@dataclass(frozen=True)
class Rule:
    """What an answer must look like: a regular expression for all of it, its description, and an example."""

    matches: str
    reason: str
    example: str


@dataclass(frozen=True)
class Question:
    """One question. `default` is Jinja over the answers before it; `choices` is empty for free text.

    `renamed_from` are the names that it had before, for projects that were made then.
    """

    name: str
    help: str
    default: str
    rule: Rule
    choices: tuple[str, ...] = ()
    renamed_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alternative:
    """A problem that a pattern does not solve, and the name of the pattern that does."""

    problem: str
    instead: str


@dataclass(frozen=True)
class Threat:
    """What somebody could do, what stops them, and the test that shows it: `tests/x.py::test_y` of a project."""

    threat: str
    stopped_by: str
    shown_by: str


@dataclass(frozen=True)
class Comparison:
    """What a pattern guarantees, in which order, how soon, and when to leave it, each in a few words."""

    guarantee: str
    order: str
    latency: str
    leave: str


@dataclass(frozen=True)
class Step:
    """A question of the chooser, and for each answer the name of a pattern, or the next question."""

    question: str
    answers: Mapping[str, str | Step]

    def patterns(self) -> Iterator[str]:
        """The patterns that answers lead to, in order."""
        for answer in self.answers.values():
            yield from answer.patterns() if isinstance(answer, Step) else [answer]


@dataclass(frozen=True)
class Pattern:
    """What one pattern is for, what it is made of, and which names it had before.

    `defaults` are its own defaults for questions that every pattern asks: the name of the question, and Jinja.
    `size` is the most that a team has to read of a new project, outside the toolkit and pins: `files` and `lines`.
    """

    name: str
    title: str
    summary: str
    state: str
    use_when: tuple[str, ...]
    not_for: tuple[Alternative, ...]
    services: tuple[str, ...]
    cost_drivers: tuple[str, ...]
    parts: tuple[str, ...]
    threats: tuple[Threat, ...]
    questions: tuple[Question, ...]
    renamed_from: tuple[str, ...]
    defaults: Mapping[str, str]
    size: Mapping[str, int]
    compare: Comparison | None


@dataclass(frozen=True)
class Catalogue:
    """Everything declared in the YAML files. Patterns are in the order of the chooser, which is that of a newcomer.

    `computed` maps a name without its `__` to its Jinja text; `planned` a pattern that is not there yet to what it is.
    """

    source: str
    questions: tuple[Question, ...]
    computed: Mapping[str, str]
    threats: tuple[Threat, ...]
    patterns: Mapping[str, Pattern]
    planned: Mapping[str, str]
    chooser: Step | None

    def questions_of(self, pattern: str) -> tuple[Question, ...]:
        """The questions that `pattern` asks, in order."""
        found = self.patterns[pattern]
        common = (replace(each, default=found.defaults.get(each.name, each.default)) for each in self.questions)
        return (*common, *found.questions)

    def renamed_patterns(self) -> dict[str, str]:
        """The name that each pattern had before, and its name now."""
        return {old: pattern.name for pattern in self.patterns.values() for old in pattern.renamed_from}


def load(root: Path) -> Catalogue:
    """Read the catalogue of the source tree at `root`.

    Raises:
        BuildError: a file is missing, is not YAML, or breaks a rule.
    """
    path = root / "templates/catalogue.yaml"
    optional = ("computed", "threats", "planned", "chooser")
    data = _fields(_read(path), path, required=("source", "questions"), optional=optional)
    questions = _questions(data["questions"], path)
    computed = _mapping(data.get("computed", {}), f"{path}: computed")
    for name in computed:
        _check_name(name, f"{path}: computed")
    patterns = {
        folder.name: _pattern(folder, questions)
        for folder in sorted((root / "templates/patterns").iterdir())
        if folder.is_dir()
    }
    planned = {
        name: _text(summary, f"{path}: planned: {name}")
        for name, summary in _mapping(data.get("planned", {}), f"{path}: planned").items()
        if name not in patterns
    }
    chooser = _step(data["chooser"], {*patterns, *planned}, f"{path}: chooser") if "chooser" in data else None
    order = list(chooser.patterns()) if chooser else []
    patterns = dict(sorted(patterns.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))
    _check_alternatives(patterns, planned, f"{root}/templates/patterns")
    _check_shared_questions(patterns.values())
    _check_renamed(patterns.values(), f"{root}/templates/patterns")
    asked = dict.fromkeys(chain(questions, *(pattern.questions for pattern in patterns.values())))
    _check_renamed(asked, f"{root}/templates: questions")
    return Catalogue(
        _text(data["source"], f"{path}: source"),
        questions,
        {name: _text(text, f"{path}: computed: {name}") for name, text in computed.items()},
        _threats(data.get("threats"), path),
        patterns,
        planned,
        chooser,
    )


def _step(data: object, known: Collection[str], where: str) -> Step:
    fields = _fields(data, where, required=("question", "answers"))
    answers: dict[str, str | Step] = {}
    for answer, leads_to in _mapping(fields["answers"], f"{where}: answers").items():
        if isinstance(leads_to, str) and leads_to not in known:
            raise BuildError(f"{where}: {answer!r} leads to {leads_to}, which is no pattern, built or planned.")
        answers[answer] = leads_to if isinstance(leads_to, str) else _step(leads_to, known, f"{where}: {answer}")
    return Step(_text(fields["question"], f"{where}: question"), answers)


def _pattern(folder: Path, common: Iterable[Question]) -> Pattern:
    if not PATTERN_NAME.fullmatch(folder.name):
        raise BuildError(
            f"{folder}: a pattern's folder has a name of lowercase letters, digits and single hyphens. Rename it."
        )
    path = folder / "pattern.yaml"
    lists = ("use_when", "not_for", "services", "cost_drivers", "parts", "threats", "questions", "renamed_from")
    optional = ("state", "defaults", "size", "compare", *lists)
    data = _fields(_read(path), path, required=("title", "summary"), optional=optional)
    texts = {
        key: _texts(data.get(key), f"{path}: {key}")
        for key in ("use_when", "services", "cost_drivers", "parts", "renamed_from")
    }
    defaults = _mapping(data.get("defaults", {}), f"{path}: defaults")
    if unknown := defaults.keys() - {question.name for question in common}:
        raise BuildError(f"{path}: defaults: {min(unknown)} is no question that every pattern asks. Remove it.")
    state = data.get("state", "complete")
    if state not in STATES:
        raise BuildError(f"{path}: state is {state!r}, and can be one of {', '.join(STATES)}.")
    return Pattern(
        name=folder.name,
        title=_text(data["title"], f"{path}: title"),
        summary=_text(data["summary"], f"{path}: summary"),
        state=state,
        use_when=texts["use_when"],
        not_for=tuple(
            Alternative(**_fields(item, f"{path}: not_for", required=("problem", "instead")))
            for item in _list(data.get("not_for"), f"{path}: not_for")
        ),
        services=texts["services"],
        cost_drivers=texts["cost_drivers"],
        parts=texts["parts"],
        threats=_threats(data.get("threats"), path),
        questions=_questions(data.get("questions"), path, taken={question.name for question in common}),
        renamed_from=texts["renamed_from"],
        defaults={name: _text(default, f"{path}: defaults: {name}") for name, default in defaults.items()},
        size=_size(data.get("size", {"files": 80, "lines": 6_500}), f"{path}: size"),
        compare=_comparison(data["compare"], f"{path}: compare") if "compare" in data else None,
    )


def _comparison(data: object, where: str) -> Comparison:
    texts = _fields(data, where, required=("guarantee", "order", "latency", "leave"))
    return Comparison(**{name: _text(text, f"{where}: {name}") for name, text in texts.items()})


def _size(data: object, where: str) -> dict[str, int]:
    size = _fields(data, where, required=("files", "lines"))
    for name, number in size.items():
        if not isinstance(number, int):
            raise BuildError(f"{where}: {name} is {number!r}, and has to be a whole number.")
    return size


def _threats(data: object, path: Path) -> tuple[Threat, ...]:
    return tuple(
        Threat(**_fields(item, f"{path}: threats", required=("threat", "stopped_by", "shown_by")))
        for item in _list(data, f"{path}: threats")
    )


def _questions(data: object, path: Path, taken: Collection[str] = ()) -> tuple[Question, ...]:
    questions: list[Question] = []
    for item in _list(data, f"{path}: questions"):
        question = _question(item, f"{path}: questions")
        if question.name in taken or question.name in {other.name for other in questions}:
            raise BuildError(
                f"{path}: the question {question.name} is asked twice. Rename one, or use the one that is there."
            )
        questions.append(question)
    return tuple(questions)


def _question(data: object, where: str) -> Question:
    fields = _fields(
        data, where, required=("name", "help", "type"), optional=("default", "rule", "choices", "renamed_from")
    )
    name = _text(fields["name"], f"{where}: name")
    where = f"{where}: {name}"
    _check_name(name, where)
    # An empty default is one: `default: ""`.
    default = _text(fields.get("default"), f"{where}: default")
    helps = _text(fields["help"], f"{where}: help")
    renamed_from = _texts(fields.get("renamed_from"), f"{where}: renamed_from")
    for old in renamed_from:
        _check_name(old, f"{where}: renamed_from")
    match fields["type"]:
        case "choice":
            choices = _texts(fields.get("choices"), f"{where}: choices")
            if default not in choices:
                raise BuildError(
                    f"{where}: the default {default!r} is not among the choices. Add it to them, or change it."
                )
            if "rule" in fields:
                raise BuildError(f"{where}: a choice has no rule, its choices are the rule. Remove `rule`.")
            return Question(name, helps, default, _rule_of_choices(choices, default), choices, renamed_from)
        case "text":
            if "choices" in fields:
                raise BuildError(f"{where}: a text has no choices. Remove them, or make it `type: choice`.")
            rule = _rule(fields.get("rule"), f"{where}: rule")
            return Question(name, helps, default, rule, renamed_from=renamed_from)
        case other:
            raise BuildError(f"{where}: type is {other!r}, and can be text or choice.")


def _rule_of_choices(choices: tuple[str, ...], default: str) -> Rule:
    return Rule("|".join(re.escape(choice) for choice in choices), f"one of {', '.join(choices)}", default)


def _rule(data: object, where: str) -> Rule:
    rule = Rule(
        **{
            key: _text(text, f"{where}: {key}")
            for key, text in _fields(data, where, required=("matches", "reason", "example")).items()
        }
    )
    try:
        matches = re.compile(rule.matches)
    except re.error as error:
        raise BuildError(f"{where}: `matches` is not a regular expression: {error}. Mend the expression.") from error
    if not matches.fullmatch(rule.example):
        raise BuildError(
            f"{where}: the example {rule.example!r} does not match the rule itself. Change one of the two."
        )
    for braces in EVALUATED:
        if any(
            matches.fullmatch(probe)
            for probe in (braces, f"{braces} 6*7 }}}}", f"{rule.example}{braces}", f"{braces}{rule.example}")
        ):
            raise BuildError(
                f"{where}: it lets {braces} through, which cookiecutter would evaluate. Refuse it, as project_name."
            )
    return rule


def _check_name(name: str, where: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name in RESERVED_NAMES:
        raise BuildError(
            f"{where}: {name!r} cannot be a name here. Use lowercase letters, digits and _, "
            "and no word that Python or an engine keeps for itself."
        )


def _check_alternatives(patterns: Mapping[str, Pattern], planned: Collection[str], where: str) -> None:
    """See that each pattern to take instead exists or is planned."""
    for pattern in patterns.values():
        for other in pattern.not_for:
            if other.instead not in patterns and other.instead not in planned:
                raise BuildError(
                    f"{where}/{pattern.name}/pattern.yaml: not_for: there is no pattern {other.instead}. Name one that "
                    "there is, or add it to `planned` in templates/catalogue.yaml."
                )


def _check_shared_questions(patterns: Iterable[Pattern]) -> None:
    """Copier keeps the questions of all patterns in one file, so that a name can mean one thing only."""
    seen: dict[str, tuple[str, Question]] = {}
    for pattern in patterns:
        for question in pattern.questions:
            owner, first = seen.setdefault(question.name, (pattern.name, question))
            if first != question:
                raise BuildError(
                    f"The patterns {owner} and {pattern.name} both ask {question.name}, but not the same. "
                    "Make the two equal, or rename one."
                )


def _check_renamed(things: Iterable[Pattern | Question], where: str) -> None:
    """A name of before leads to one thing of today, or an update could take a project to the wrong one."""
    seen = {thing.name: thing.name for thing in things}
    for thing in things:
        for old in thing.renamed_from:
            if other := seen.get(old):
                raise BuildError(
                    f"{where}: {thing.name}: renamed_from: {old} is a name of {other} already. "
                    "A name that was in use once stays with what it was for: take another."
                )
            seen[old] = thing.name


def _read(path: Path) -> object:
    try:
        # The C parser where there is one: ten times as fast, and every start of the command line waits for it.
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe, both
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}. Every pattern's folder has a pattern.yaml.") from error
    except yaml.YAMLError as error:
        raise BuildError(f"{path}: not YAML: {error}") from error


def _fields(
    data: object, where: object, *, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    fields = _mapping(data, where)
    for key in required:
        if not fields.get(key):
            raise BuildError(f"{where}: `{key}` is missing. Add it.")
    if unknown := [key for key in fields if key not in (*required, *optional)]:
        raise BuildError(f"{where}: `{unknown[0]}` is not known here. Known are: {', '.join((*required, *optional))}.")
    return fields


def _mapping(data: object, where: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise BuildError(f"{where}: a mapping of names to values is expected here, not {data!r}.")
    return data


def _list(data: object, where: str) -> list[object]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise BuildError(f"{where}: a list is expected here, not {data!r}.")
    return data


def _texts(data: object, where: str) -> tuple[str, ...]:
    return tuple(_text(item, where) for item in _list(data, where))


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise BuildError(f"{where}: text is expected here, not {value!r}. Put it between quotes.")
    return value
