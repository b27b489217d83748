"""Writes the questions, rules and computed values in the form that each engine reads."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Mapping

import yaml

from .answers import NOT_IN_SHORT_NAME, SHORT_NAME, SHOWN, asked
from .catalogue import Catalogue, Question
from .escape import escape
from .git import DESCRIBE, DESCRIBED, SECRETS
from .sources import File

ANSWERS_FILE = ".copier-answers.yml"
# Known in templates besides the questions and what the catalogue computes.
PROVIDED = ("__pattern", "__pattern_title", "__answers_file", "__commit", "__src_path")
# The template's top folder. Cookiecutter renders its name and makes it before any hook can refuse an answer, so a short
# name that is no plain name becomes another one here: nothing is ever made outside the place asked for.
TOP = "{{cookiecutter.__folder}}"
REFUSED_FOLDER = "refused"
FOLDER = (
    "{% set odd %}{% for c in cookiecutter.project_slug %}"
    '{{ "" if c in "abcdefghijklmnopqrstuvwxyz0123456789-" else "x" }}{% endfor %}{% endset %}'
    f'{{{{ "{REFUSED_FOLDER}" if odd or not 0 < cookiecutter.project_slug|length < 64'
    " else cookiecutter.project_slug }}"
)
HEADER = "# Made by `make build` from templates/; do not edit.\n"


def known_names(catalogue: Catalogue, pattern: str) -> set[str]:
    """Every name that may follow `cookiecutter.` in the sources of `pattern`."""
    questions = {question.name for question in catalogue.questions_of(pattern)}
    return questions | {f"__{name}" for name in catalogue.computed} | set(PROVIDED)


def cookiecutter_menu(catalogue: Catalogue) -> str:
    """The root `cookiecutter.json`, which asks for the pattern."""
    templates = {
        pattern.name: {"path": f"./built/{pattern.name}", "title": pattern.title, "description": pattern.summary}
        for pattern in catalogue.patterns.values()
    }
    return _json({"templates": templates})


def cookiecutter_json(catalogue: Catalogue, pattern: str, files: Mapping[str, File]) -> str:
    """The `cookiecutter.json` of one pattern."""
    questions = catalogue.questions_of(pattern)
    # Cookiecutter's default is the first choice.
    data: dict[str, object] = {
        question.name: sorted(question.choices, key=question.default.__ne__) or question.default
        for question in questions
    }
    data["__folder"] = FOLDER
    data |= {f"__{name}": template for name, template in catalogue.computed.items()}
    data |= {
        "__pattern": pattern,
        "__pattern_title": escape(catalogue.patterns[pattern].title),
        "__answers_file": ANSWERS_FILE,
        "__commit": "",
        "__src_path": "",
        "__prompts__": {question.name: _without_markup(asked(question)) for question in questions},
    }
    if binary := [glob.escape(path) for path, file in files.items() if file.binary]:
        data["_copy_without_render"] = binary
    return _json(data)


def _without_markup(text: str) -> str:
    """`text` as cookiecutter shows it: to rich, which it asks with, brackets mean colours."""
    return re.sub(r"\[(?=[a-z#/@])", r"\\[", text)


def answers_file(questions: Iterable[Question]) -> str:
    """The answers file of a project, from which `copier update` reads where it came from and what was answered.

    Text stands between double quotes with only `"` and `\\` escaped: JSON's own escapes would turn an emoji into two
    halves that YAML cannot put together again.
    """
    source = "".join(f"{key}: {_quoted(f'cookiecutter._{key}')}\n" for key in ("_commit", "_src_path"))
    return (
        "# Written by the template; `copier update` reads it. Do not edit.\n"
        f"{{% if cookiecutter.__commit %}}{source}{{% endif %}}"
        "pattern: {{ cookiecutter.__pattern }}\n"
        + "".join(f"{question.name}: {_quoted(f'cookiecutter.{question.name}')}\n" for question in questions)
    )


def _quoted(value: str) -> str:
    return '"{{ %s|replace("\\\\", "\\\\\\\\")|replace("\\"", "\\\\\\"") }}"' % value  # noqa: UP031 - braces


def hook(text: str, catalogue: Catalogue, pattern: str, files: Mapping[str, File]) -> str:
    """A hook of `hooks/`, with what it must know about `pattern` put in as JSON between quotes."""
    rules = [
        {
            "name": question.name,
            "default": question.default,
            "matches": question.rule.matches,
            "reason": question.rule.reason,
            "example": question.rule.example,
        }
        for question in catalogue.questions_of(pattern)
    ]
    known = {"rules": rules, "source": catalogue.source, "describe": DESCRIBE, "secrets": SECRETS}
    for name, value in known.items():
        text = text.replace(f"<<{name}>>", _json_between_quotes(value))
    # The engine fills in the answers that they follow from.
    defaults = ", ".join(
        f'"{question.name}": {{% set value %}}{question.default}{{% endset %}}{{{{ value|tojson }}}}'
        for question in catalogue.questions_of(pattern)
    )
    text = text.replace("<<defaults>>", f"{{ {defaults} }}")
    programs = [path for path, file in files.items() if file.executable]
    return text.replace("<<programs>>", json.dumps(programs))  # the engine fills in the answers in their names


def _json_between_quotes(data: object) -> str:
    """`data` as JSON for a raw string of a hook, without anything that Jinja would read."""
    return re.sub(r"\{(?=[{%#])", r"\\u007b", json.dumps(data, indent=2))


def copier_yml(catalogue: Catalogue) -> str:
    """The root `copier.yml`. It needs no `--trust`, because it has no tasks, migrations or extensions."""
    patterns = catalogue.patterns.values()
    data: dict[str, object] = {
        "_min_copier_version": "9.15.0",
        "_templates_suffix": "",
        "_envops": {"undefined": "jinja2.StrictUndefined"},
        "_subdirectory": f"built/{{{{ pattern }}}}/{{% raw %}}{TOP}{{% endraw %}}",
        "pattern": {
            "type": "str",
            "help": "Which pattern?",
            "choices": {f"{escape(pattern.title)}: {escape(pattern.summary)}": pattern.name for pattern in patterns},
            "default": _default_pattern(catalogue.patterns, catalogue.renamed_patterns()),
        },
    }
    before: list[Question] = []
    defaults: dict[str, str] = {}
    for question in catalogue.questions:
        default = question.default
        for each in patterns:
            if own := each.defaults.get(question.name):
                default = f'{{% if pattern == "{each.name}" %}}{own}{{% else %}}{default}{{% endif %}}'
        if question.name == SHORT_NAME:
            default = _folder_or(default, defaults["project_name"], question)
        data[question.name] = _copier_question(question, before, default)
        defaults[question.name] = default
        before.append(question)
    for pattern in patterns:
        for question in pattern.questions:
            if question not in before:
                users = [other.name for other in patterns if question in other.questions]
                data[question.name] = _copier_question(question, before, question.default) | {
                    "when": f"{{{{ pattern in {users} }}}}"
                }
                before.append(question)
    data["cookiecutter"] = {"type": "json", "when": False, "default": _copier_computed(catalogue, before)}
    return HEADER + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _default_pattern(patterns: Iterable[str], renamed: Mapping[str, str]) -> str:
    """Today's name for a project that remembers a pattern's former one, which is no choice any more.

    There is no other default: an answer that is no choice then fails, and does not silently become another pattern.
    With `--defaults`, copier would end in a traceback. It reports an undefined value in one line, so the name of one
    says what to do. An update, which overwrites, does not get there.
    """
    remedy = f"pattern. Add --data pattern=NAME, where NAME is one of: {', '.join(patterns)}"
    default = (
        "{% if _copier_conf.defaults and not _copier_conf.overwrite %}"
        f"{{{{ {{}}[{_jinja_text(remedy)}] }}}}{{% else %}}{{{{ UNSET }}}}{{% endif %}}"
    )
    if not renamed:
        return default
    names = json.dumps(renamed)
    return f'{{% if pattern|default("") in {names} %}}{{{{ {names}[pattern] }}}}{{% else %}}{default}{{% endif %}}'


def _folder_or(default: str, unnamed: str, question: Question) -> str:
    """The folder's name as the short name, as `serverless-templates new` suggests it.

    It is `default` where the folder's name cannot be one, or where the project's name is another than `unnamed`.
    Cookiecutter names the folder after the short name, so there is nothing to follow there.
    """
    folder = (
        f'(_copier_conf.dst_path|string|realpath|basename|lower|regex_replace("{NOT_IN_SHORT_NAME}", "-")).strip("-")'
    )
    return (
        f"{{% set folder = {folder} %}}{{% set unnamed %}}{unnamed}{{% endset %}}"
        f"{{% if project_name == unnamed and folder|regex_search({_whole(question)}) is not none %}}{{{{ folder }}}}"
        f"{{% else %}}{default}{{% endif %}}"
    )


def _copier_question(question: Question, before: Iterable[Question], default: str) -> dict[str, object]:
    """How copier asks, with `default` as cookiecutter would have it."""
    entry: dict[str, object] = {"type": "str", "help": escape(asked(question))}
    # Defaults ask for `cookiecutter.<name>`, in both engines: here it is made of the answers so far.
    answers = ", ".join(f"{other.name}={other.name}" for other in before)
    if "cookiecutter." in default:
        default = f"{{% set cookiecutter = dict({answers}) %}}{default}"
    # A project that was made when the question had another name remembers the answer under that.
    for old in reversed(question.renamed_from):
        default = f"{{% if {old} is defined %}}{{{{ {old} }}}}{{% else %}}{default}{{% endif %}}"
    if question.choices:
        return entry | {"choices": list(question.choices), "default": default}
    return entry | {"default": default, "validator": _copier_validator(question)}


def _copier_validator(question: Question) -> str:
    """Nothing when the answer follows the rule; otherwise the words of `answers.refusal`."""
    name, rule, whole = question.name, question.rule, _whole(question)
    shown = f'"%r"|format({name} if {name}|length <= {SHOWN} else {name}[:{SHOWN - 3}] ~ "...")'
    reason = _jinja_text(f" is refused. It must be {rule.reason}. Example: {rule.example}")
    return f'{{% if {name}|regex_search({whole}) is none %}}{{{{ "{name}: " ~ {shown} ~ {reason} }}}}{{% endif %}}'


def _whole(question: Question) -> str:
    """The rule of `question` as a Jinja literal that matches whole answers."""
    return _jinja_text(rf"\A(?:{question.rule.matches})\Z")


def _copier_computed(catalogue: Catalogue, questions: Iterable[Question]) -> str:
    """The variable `cookiecutter` as cookiecutter would have it, so that both engines read the same templates."""
    titles = ", ".join(
        f"{_jinja_text(pattern.name)}: {_jinja_text(pattern.title)}" for pattern in catalogue.patterns.values()
    )
    version = _jinja_text(rf"\A(?:{DESCRIBED})\Z")
    without_secrets = "".join(f"|regex_replace({_jinja_text(text)}, {_jinja_text(kept)})" for text, kept in SECRETS)
    values = {question.name: question.name for question in questions} | {
        "__pattern": "pattern",
        "__pattern_title": f"{{{titles}}}[pattern]",
        "__answers_file": "_copier_conf.answers_file|string",
        # Copier describes a commit by any tag: where that is no version, the commit is recorded.
        "__commit": (
            f'_copier_answers._commit if _copier_answers._commit|default("")|regex_search({version})'
            ' else _copier_conf.vcs_ref_hash|default("", true)'
        ),
        "__src_path": f'_copier_answers._src_path|default(""){without_secrets}',
    }
    arguments = ", ".join(f"{name}={value}" for name, value in values.items())
    computed = "".join(
        f"{{% set value %}}{template}{{% endset %}}{{% set cookiecutter = dict(cookiecutter, __{name}=value) %}}"
        for name, template in catalogue.computed.items()
    )
    return f"{{% set cookiecutter = dict({arguments}) %}}{computed}{{{{ cookiecutter|to_json }}}}"


def _jinja_text(text: str) -> str:
    """`text` as a literal in a Jinja expression."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
