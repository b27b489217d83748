"""Orders, and the shipments that come of them."""

import json
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct, to_builtins

from toolkit.runtime.fields import read, text

Id = Annotated[
    str, text("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
]
Quantity = Annotated[int, Meta(ge=1, le=1_000, description="a whole number from 1 to 1000")]


class Order(Struct, frozen=True, omit_defaults=True):
    """What a customer asked for.

    Each caller chooses its own `order_id`. Requests of a caller with the same one are one order.
    """

    order_id: Id
    sku: Id
    quantity: Quantity

    def to_json(self) -> str:
        """The order as text: the same order always gives the same text.

        Defaults are left out, so a new optional field does not change the text of older orders.
        """
        return json.dumps(to_builtins(self), sort_keys=True)


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
    return read(body, Order)


def ship(caller: str, order: Order, shipment_id: str, now: int) -> Shipment:
    """Decide what to ship for an order. Replace this with your service's own logic."""
    return Shipment(shipment_id, caller, order.order_id, order.sku, order.quantity, created_at=now)
