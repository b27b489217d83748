"""Reads openapi.yaml: its operations, values that fit its schemas, and what does not fit them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from scripts.stacks import PROJECT

Schema = dict[str, Any]
DOCUMENT: Schema = yaml.safe_load((PROJECT / "openapi.yaml").read_text())
METHODS = ("get", "put", "post", "delete", "patch")
TYPES: tuple[tuple[str, type], ...] = (
    ("object", dict),
    ("array", list),
    ("string", str),
    ("integer", int),
    ("null", type(None)),
)
# A keyword that nobody checks would hold nothing: a schema with another one is an error.
KEYWORDS = {
    *("type", "required", "properties", "additionalProperties", "items", "maxItems"),
    *("minLength", "maxLength", "pattern", "minimum", "maximum", "default"),
}


@dataclass(frozen=True)
class Operation:
    """What callers may ask of a path, and what they may be answered."""

    method: str
    path: str
    parameters: list[Schema]
    body: Schema | None
    responses: dict[str, Schema]


def operations() -> list[Operation]:
    """All that the document describes."""
    return [
        Operation(
            method=method.upper(),
            path=path,
            parameters=[
                resolved(parameter)
                for parameter in item.get("parameters", []) + found.get("parameters", [])
            ],
            body=schema_in(found["requestBody"]) if "requestBody" in found else None,
            responses={status: resolved(answer) for status, answer in found["responses"].items()},
        )
        for path, item in DOCUMENT["paths"].items()
        for method, found in item.items()
        if method in METHODS
    ]


def resolved(part: Schema) -> Schema:
    """What a $ref stands for."""
    while "$ref" in part:
        found = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def schema_in(part: Schema) -> Schema:
    """The schema of a body."""
    [content] = resolved(part)["content"].values()
    return resolved(content["schema"])


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that fit a schema."""
    schema = resolved(schema)
    match schema["type"]:
        case "object":
            return st.fixed_dictionaries(
                {name: values(part) for name, part in schema["properties"].items()}
            )
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "string" if "pattern" in schema:
            found = st.from_regex(schema["pattern"].replace("$", r"\Z"))
            return found.filter(lambda text: not list(mistakes(text, schema)))
    raise NotImplementedError(schema)


def mistakes(value: Any, schema: Schema, where: str = "it") -> Iterator[str]:
    """Where a value does not fit a schema."""
    schema = resolved(schema)
    assert schema.keys() <= KEYWORDS, schema
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kinds = tuple(kind for name, kind in TYPES if name in names)
    if not isinstance(value, kinds) or isinstance(value, bool):
        yield f"{where} is not {' or '.join(names)}"
        return
    if isinstance(value, dict):
        known = schema["properties"]
        yield from (f"{where}.{name} is missing" for name in {*schema["required"]} - value.keys())
        yield from (f"{where}.{name} is unknown" for name in value.keys() - known.keys())
        for name in value.keys() & known.keys():
            yield from mistakes(value[name], known[name], f"{where}.{name}")
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{where} is too long"
        for number, one in enumerate(value):
            yield from mistakes(one, schema["items"], f"{where}[{number}]")
    elif isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{where} has a wrong length"
        if not re.search(schema.get("pattern", ""), value):
            yield f"{where} has a wrong form"
    elif isinstance(value, int) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{where} is out of bounds"
