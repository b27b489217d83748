"""Orders, and the shipments they turn into."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_QUANTITY = 1_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class InvalidOrderError(Exception):
    """The text is not an order; `problems` says what to mend, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asked for. The caller chooses `order_id`: sent again, it is one order."""

    order_id: str
    sku: str
    quantity: int

    def to_json(self) -> str:
        """The order as text: the same order always gives the same text."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What leaves the warehouse: one per order."""

    shipment_id: str
    order_id: str
    sku: str
    quantity: int
    created_at: int  # seconds since the epoch


def parse_order(text: str | None) -> Order:
    """Read an order from JSON.

    Raises:
        InvalidOrderError: with everything that is wrong, not only the first thing.
    """
    try:
        fields = json.loads(text or "")
    except (ValueError, RecursionError):
        raise InvalidOrderError(["the body must be JSON"]) from None
    if not isinstance(fields, dict):
        raise InvalidOrderError(["the body must be a JSON object"])
    problems = [
        *_problems_of_id("order_id", fields),
        *_problems_of_id("sku", fields),
        *_problems_of_quantity(fields),
        *(f"{name} is not a field of an order" for name in _unknown(fields)),
    ]
    if problems:
        raise InvalidOrderError(problems)
    return Order(fields["order_id"], fields["sku"], fields["quantity"])


def ship(order: Order, shipment_id: str, now: int) -> Shipment:
    """Decide what to ship for an order. Replace this with what your service is for."""
    return Shipment(shipment_id, order.order_id, order.sku, order.quantity, created_at=now)


def _problems_of_id(name: str, fields: dict[str, Any]) -> list[str]:
    value = fields.get(name)
    if isinstance(value, str) and _ID.fullmatch(value):
        return []
    return [f"{name} must be 1 to 64 letters, digits, hyphens or underscores"]


def _problems_of_quantity(fields: dict[str, Any]) -> list[str]:
    value = fields.get("quantity")
    # True is an int in Python, but no quantity.
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_QUANTITY:
        return []
    return [f"quantity must be a whole number from 1 to {LARGEST_QUANTITY}"]


def _unknown(fields: dict[str, Any]) -> list[str]:
    return sorted(repr(name)[:40] for name in fields.keys() - Order.__slots__)
