"""Reads a function's settings from its environment variables, once, at start."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import TypeVar

Settings = TypeVar("Settings")


class SettingsError(Exception):
    """An environment variable is missing or cannot be read."""


def read_settings(kind: type[Settings], environ: Mapping[str, str] = os.environ) -> Settings:
    """Fill a dataclass of `str` and `int` fields; field `queue_url` comes from QUEUE_URL.

    Raises:
        SettingsError: names every variable that is missing or not a whole number, so that one
            look at the log is enough to fix the template.
    """
    values: dict[str, str | int] = {}
    problems = []
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        text = environ.get(name, "").strip()
        if not text:
            problems.append(f"{name} is not set")
        elif field.type is int:
            try:
                values[field.name] = int(text)
            except ValueError:
                problems.append(f"{name} must be a whole number, not {text!r}")
        else:
            values[field.name] = text
    if problems:
        raise SettingsError("; ".join(problems) + " (see Environment in template.yaml)")
    return kind(**values)
