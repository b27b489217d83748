"""Makes native text into a template: answers and statements are for the engines, every other brace is itself."""

from __future__ import annotations

import re
from collections.abc import Collection

from jinja2 import Environment, TemplateSyntaxError

from .errors import BuildError

STATEMENT = r"\{%-?\s*(?:if|elif|else|endif|for|endfor)\b"
ANSWER = r"\{\{-?\s*cookiecutter\."

# `# {% if … %}` on a line of its own, whatever the language's comment looks like; the line goes, the statement stays.
STATEMENT_LINE = re.compile(
    rf"^[ \t]*(?:#+|//|--|;|<!--|/\*)[ \t]*"
    rf"((?:{STATEMENT}(?:(?!%\}})[^\n])*%\}}[ \t]*)+)"
    r"(?:-->|\*/)?[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
# All of an answer or statement, whose string literals may hold braces too.
INSIDE = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'])*?"""
TAG = re.compile(rf"{ANSWER}{INSIDE}\}}\}}|{STATEMENT}{INSIDE}%\}}")
# A brace right before an answer is text; without this, Jinja would read the first two of the three.
FOREIGN = rf"\{{(?={ANSWER})|\{{\{{(?!-?\s*cookiecutter\.)|(?!{STATEMENT})\{{%|\{{#"
KEPT_OR_FOREIGN = re.compile(rf"(?P<kept>{TAG.pattern})|{FOREIGN}")
REFERENCE = re.compile(r"\bcookiecutter\.(\w+)")


def escape(text: str) -> str:
    """The template that both engines render to `text`, apart from the answers and statements in it."""
    text = STATEMENT_LINE.sub(lambda line: line[1].rstrip(), text)
    return KEPT_OR_FOREIGN.sub(lambda found: found["kept"] or f'{{{{ "{found[0]}" }}}}', text)


def check_references(text: str, known: Collection[str], where: str) -> None:
    """See that `text` asks only for answers in `known`.

    Raises:
        BuildError: it asks for another one, most often a misspelled one.
    """
    for tag in TAG.finditer(text):
        for reference in REFERENCE.findall(tag[0]):
            if reference not in known:
                line = text.count("\n", 0, tag.start()) + 1
                raise BuildError(
                    f"{where}:{line}: `cookiecutter.{reference}` is no answer. Known are: {', '.join(sorted(known))}."
                )


def check_syntax(template: str, where: str) -> None:
    """See that both engines can read `template`.

    Raises:
        BuildError: a statement is not closed, or it uses what only one engine has.
    """
    try:
        Environment(autoescape=False).from_string(template)  # noqa: S701 - nothing is rendered
    except TemplateSyntaxError as error:
        raise BuildError(f"{where}: the engines cannot read it: {error.message}.") from error
