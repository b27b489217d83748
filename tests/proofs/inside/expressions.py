"""GitHub's expressions, as far as the generated workflows use them. Anything else is an error.

https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w-]*)|(==|!=|&&|\|\||[!().]))")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(always|cancelled|failure|success)\(\)")
_CONSTANTS = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """What this evaluator, or the workflow that is run, does not know."""


class Known(dict[str, Any]):
    """A context whose properties are all known; any other is a mistake of the workflow."""


def evaluate(text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[[], bool]] | None = None) -> Any:
    """The value of an expression, with or without its `${{ }}`.

    Raises:
        ExpressionError: it names what is not there, or is no expression of the known subset.
    """
    whole = _EXPRESSION.fullmatch(text.strip())
    return _Parser(whole[1] if whole else text, contexts, functions or {}).parse()


def fill_in(value: Any, contexts: Mapping[str, Any]) -> str:
    """A text of a workflow with its expressions evaluated."""
    return _EXPRESSION.sub(lambda found: as_text(evaluate(found[1], contexts)), as_text(value))


def as_text(value: Any) -> str:
    """A value as GitHub writes it into a text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def asks_for_status(condition: str) -> bool:
    """Whether a condition has a status function; one without means `success() && …`."""
    return bool(_STATUS.search(condition))


class _Parser:
    """Recursive descent; `||` binds least, then `&&`, then `==` and `!=`, then `!`."""

    def __init__(self, text: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[[], bool]]) -> None:
        self.text = text.strip()
        self.contexts, self.functions = contexts, functions
        self.tokens = list(self._split())

    def parse(self) -> Any:
        value = self._either()
        if self.tokens:
            raise ExpressionError(f"{self.tokens[0]!r} is not expected in {self.text!r}")
        return value

    def _split(self) -> Any:
        position = 0
        while position < len(self.text):
            found = _TOKEN.match(self.text, position)
            if not found:
                raise ExpressionError(f"{self.text[position:]!r} is not known in {self.text!r}")
            yield found[0].strip()
            position = found.end()

    def _next(self, *expected: str) -> str:
        if self.tokens and (not expected or self.tokens[0] in expected):
            return str(self.tokens.pop(0))
        if expected:
            return ""
        raise ExpressionError(f"{self.text!r} ends too early")

    def _either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._next("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> Any:
        value = self._not()
        while operator := self._next("==", "!="):
            # Texts are compared without regard to capital letters.
            same = as_text(value).lower() == as_text(self._not()).lower()
            value = same == (operator == "==")
        return value

    def _not(self) -> Any:
        return not self._not() if self._next("!") else self._value()

    def _value(self) -> Any:
        token = self._next()
        if token == "(":
            value = self._either()
            self._expect(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if self._next("("):
            self._expect(")")
            if token not in self.functions:
                raise ExpressionError(f"{token}() is not known here: {self.text!r}")
            return self.functions[token]()
        if token not in self.contexts:
            raise ExpressionError(f"{token!r} is not known here: {self.text!r}")
        return self._property(self.contexts[token])

    def _property(self, value: Any) -> Any:
        while self._next("."):
            name = self._next()
            if isinstance(value, Known) and name not in value:
                raise ExpressionError(f"there is no {name!r} in {self.text!r}; there are: {', '.join(value)}")
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _expect(self, token: str) -> None:
        if not self._next(token):
            raise ExpressionError(f"{token!r} is missing in {self.text!r}")
