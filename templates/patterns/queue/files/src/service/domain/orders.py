"""Orders, and the shipments that come of them."""

import json
from dataclasses import asdict, dataclass

from service.domain.fields import read_fields, text, whole_number

_ID = text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
_QUANTITY = whole_number(1, 1_000)


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asked for.

    Each caller chooses its own `order_id`. Requests of a caller with the same one are one order.
    """

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
    caller: str  # An order_id is unique among the orders of one caller only.
    order_id: str
    sku: str
    quantity: int
    created_at: int  # seconds since the epoch


def parse_order(body: str | None) -> Order:
    """Read an order from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    return Order(**read_fields(body, order_id=_ID, sku=_ID, quantity=_QUANTITY))


def ship(caller: str, order: Order, shipment_id: str, now: int) -> Shipment:
    """Decide what to ship for an order. Replace this with your service's own logic."""
    return Shipment(shipment_id, caller, order.order_id, order.sku, order.quantity, created_at=now)
