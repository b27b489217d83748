"""What tells one request from another."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

# Names of fields and headers whose value is a request's own: `order_id`, `Idempotency-Key`.
IDENTITY = re.compile(r"(?:^|[-_])(?:id|key)$", re.IGNORECASE)
# An id as uuid writes it, with hyphens or without.
MADE = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])")


def new_run() -> str:
    """What makes a request's identities its own."""
    return uuid.uuid4().hex[:12]


def renamed(value: Any, run: str) -> Any:
    """An event with other identities: the same ones for the same run."""
    match value:
        case dict():
            return {
                name: _new(item, run) if isinstance(item, str) and IDENTITY.search(name) else renamed(item, run)
                for name, item in value.items()
            }
        case list():
            return [renamed(item, run) for item in value]
        case str() if value.startswith("{"):
            try:
                return json.dumps(renamed(json.loads(value), run))
            except ValueError:
                return value
    return value


def _new(value: str, run: str) -> str:
    try:
        new = uuid.uuid5(uuid.UUID(value), run)
    except ValueError:
        return f"{value}-{run}"
    return str(new) if "-" in value else new.hex
