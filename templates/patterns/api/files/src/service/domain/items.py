"""Items: what one is, and what may stand in the way of a request about one."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_QUANTITY = 1_000_000
# Any text on one line. JSON can spell half a surrogate pair, which is no text and cannot be stored.
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,100}")
_ID = re.compile(r"[0-9a-f]{32}")


class InvalidItemError(Exception):
    """The text is not an item; `problems` says what to mend, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class ItemNotFoundError(Exception):
    """There is no item with this id."""


class VersionConflictError(Exception):
    """The item is no longer at the version that the caller has seen."""


class KeyUsedError(Exception):
    """The idempotency key was used before, for another item."""


class BusyError(Exception):
    """Somebody else writes the same thing at this moment."""


@dataclass(frozen=True, slots=True)
class Content:
    """What callers say about an item."""

    name: str
    quantity: int

    def to_json(self) -> str:
        """The content as text: the same content always gives the same text."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Item:
    """Something in stock. Each change makes the next version, counted from 1."""

    id: str
    version: int
    name: str
    quantity: int


def new_item(key: str, content: Content) -> Item:
    """The item that a caller's idempotency key stands for.

    Its id follows from the key: sent again, the request gives the same answer, and no answer has
    to be stored.
    """
    item_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Item(item_id, 1, content.name, content.quantity)


def is_item_id(text: str) -> bool:
    """Whether an item could have this id."""
    return bool(_ID.fullmatch(text))


def parse_content(text: str | None) -> Content:
    """Read an item's content from JSON.

    Raises:
        InvalidItemError: with everything that is wrong, not only the first thing.
    """
    try:
        fields = json.loads(text or "")
    except (ValueError, RecursionError):
        raise InvalidItemError(["the body must be JSON"]) from None
    if not isinstance(fields, dict):
        raise InvalidItemError(["the body must be a JSON object"])
    problems = [
        *_problems_of_name(fields),
        *_problems_of_quantity(fields),
        *(f"{name} is not a field of an item" for name in _unknown(fields)),
    ]
    if problems:
        raise InvalidItemError(problems)
    return Content(fields["name"], fields["quantity"])


def _problems_of_name(fields: dict[str, Any]) -> list[str]:
    value = fields.get("name")
    if isinstance(value, str) and _NAME.fullmatch(value):
        return []
    return ["name must be 1 to 100 characters on one line"]


def _problems_of_quantity(fields: dict[str, Any]) -> list[str]:
    value = fields.get("quantity")
    # True is an int in Python, but no quantity.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_QUANTITY:
        return []
    return [f"quantity must be a whole number from 0 to {LARGEST_QUANTITY}"]


def _unknown(fields: dict[str, Any]) -> list[str]:
    return sorted(repr(name)[:40] for name in fields.keys() - Content.__slots__)
