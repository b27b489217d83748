"""Reads JSON objects into msgspec structures, and names everything that is wrong with one.

Quantity = Annotated[int, Meta(ge=1, le=1_000, description="a whole number from 1 to 1000")]
Sku = Annotated[str, text(r"[a-z]{1,64}", "1 to 64 lowercase letters")]

class Line(Struct, frozen=True, forbid_unknown_fields=True):
    sku: Sku
    quantity: Quantity

class Delivery(Struct, frozen=True):
    lines: Annotated[list[Line], Meta(min_length=1)]  # a nested list
    weight: Decimal | None = None  # optional; exact, from a number or a text

delivery = read(body, Delivery)
"""

from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Meta, Struct

T = TypeVar("T", bound=Struct)
# The most unknown fields that are named: the answer stays short for any request.
_UNKNOWN_NAMED = 10
# The largest power of ten in a number, up or down: about what a float has.
_LARGEST_EXPONENT = 300
# msgspec computes them on each call, which takes longer than reading a small object.
_fields_of = cache(msgspec.structs.fields)


class InvalidFieldsError(Exception):
    """The text is invalid; `problems` says what to fix, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def text(pattern: str, description: str) -> Meta:
    """A text that a regular expression matches as a whole; `description` completes "must be"."""
    # Python's $ also matches before a line break at the end.
    return Meta(pattern=rf"^(?:{pattern})$(?!\n)", description=description)


def read(body: str | None, kind: type[T], **given: Any) -> T:
    """Read a JSON object with the fields of a structure, and no others.

    Args:
        body: the JSON text.
        kind: the structure. The `description` of a field's type is part of its error.
        given: values of fields that are not in the text, such as the caller.

    Raises:
        InvalidFieldsError: with all invalid fields; of a nested structure, with the first problem.
    """
    try:
        values = _decode(body or "")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidFieldsError(["the body must be JSON"]) from None
    except ArithmeticError:
        raise InvalidFieldsError(["a number in the body is out of range"]) from None
    if not isinstance(values, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    fields = {f.name: f for f in _fields_of(kind) if f.name not in given}
    problems, found = [], dict(given)
    for name, field in fields.items():
        if name in values:
            try:
                found[name] = _convert(values[name], field.type)
            except msgspec.ValidationError as error:
                problems.append(_problem(name, field.type, error))
        elif field.required:
            problems.append(_problem(name, field.type, None))
    unknown = sorted(values.keys() - fields.keys())[:_UNKNOWN_NAMED]
    problems += [f"{name!r:.40} is unknown" for name in unknown]
    if problems:
        raise InvalidFieldsError(problems)
    return kind(**found)


def _problem(name: str, kind: Any, error: msgspec.ValidationError | None) -> str:
    """What is wrong with a field: the description of its type, or msgspec's own words."""
    description = next((m.description for m in getattr(kind, "__metadata__", ())), None)
    message, _, path = str(error or "is missing").partition(" - at `$")
    if description and not path:
        return f"{name} must be {description}"
    return f"{name}{path.rstrip('`')}: {message}"


def _convert(value: Any, kind: Any) -> Any:
    converted = msgspec.convert(value, kind)
    if not _in_range(converted):
        raise msgspec.ValidationError("a number is out of range")
    return converted


def _in_range(value: Any) -> bool:
    """Whether all decimals in a value are numbers of a usable size: msgspec reads "NaN" as one."""
    match value:
        case Decimal():
            return value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT
        case Struct():
            return all(_in_range(getattr(value, name)) for name in value.__struct_fields__)
        case dict():
            return all(map(_in_range, value.values()))
        case list() | tuple() | set() | frozenset():
            return all(map(_in_range, value))
    return True


def _number(text: str) -> int | Decimal:
    """A number with a point or an exponent, exactly. In JSON, 2.0 is a whole number."""
    number = Decimal(text)
    if not _in_range(number):
        raise OverflowError
    return int(number) if number == number.to_integral_value() else number


_decode = msgspec.json.Decoder(float_hook=_number).decode
