"""Orders, and the reasons for which one is refused on its way."""

import hashlib
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from toolkit.runtime.fields import read, text

# What the payment provider takes in one go, in cents.
LARGEST_PAYMENT = 1_000_000
DELIVERS_TO = frozenset({"AT", "CH", "DE", "FR", "GB", "IE", "NL", "US"})
Id = Annotated[
    str, text("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
]
Quantity = Annotated[int, Meta(ge=1, le=1_000, description="a whole number from 1 to 1000")]
Amount = Annotated[
    int, Meta(ge=1, le=100_000_000, description="a whole number from 1 to 100000000, in cents")
]
Country = Annotated[str, text("[A-Z]{2}", "two capital letters")]


class OutOfStockError(Exception):
    """There is less in stock than the order takes. The workflow knows this error by its name."""


class PaymentDeclinedError(Exception):
    """The payment provider said no. The workflow knows this error by its name."""


class UndeliverableError(Exception):
    """No carrier goes there. The workflow knows this error by its name."""


class Order(Struct, frozen=True, omit_defaults=True):
    """What a customer asked for.

    Each caller chooses its own `order_id`: what it sends again under the same one is one order.
    """

    caller: str
    order_id: Id
    sku: Id
    quantity: Quantity
    amount: Amount
    country: Country

    @property
    def key(self) -> str:
        """The unique key of the order: its id, and a hash of its caller.

        At most 80 characters, as the name of a workflow may have: 64, a hyphen and 15.
        """
        return f"{self.order_id}-{hashlib.sha256(self.caller.encode()).hexdigest()[:15]}"

    def to_dict(self) -> dict[str, Any]:
        """The order as the workflow carries it."""
        fields: dict[str, Any] = to_builtins(self)
        return fields


def parse_order(caller: str, body: str | None) -> Order:
    """Read a caller's order from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    return read(body, Order, caller=caller)


def check_payment(order: Order) -> None:
    """Decide whether the payment is taken. Stands for the payment provider's own decision.

    Raises:
        PaymentDeclinedError: it is not.
    """
    if order.amount > LARGEST_PAYMENT:
        raise PaymentDeclinedError(f"more than {LARGEST_PAYMENT} cents")


def check_delivery(order: Order) -> None:
    """Decide whether a carrier takes the order. Stands for the carrier's own decision.

    Raises:
        UndeliverableError: none does.
    """
    if order.country not in DELIVERS_TO:
        raise UndeliverableError(f"no carrier goes to {order.country}")
