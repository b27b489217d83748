"""Orders, and the reasons for which one is refused on its way."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from service.domain.fields import read_fields, text, whole_number

# What the payment provider takes in one go, in cents.
LARGEST_PAYMENT = 1_000_000
DELIVERS_TO = frozenset({"AT", "CH", "DE", "FR", "GB", "IE", "NL", "US"})
_ID = text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, hyphens or underscores")
_QUANTITY = whole_number(1, 1_000)
_AMOUNT = whole_number(1, 100_000_000)
_COUNTRY = text("[A-Z]{2}", "two capital letters")


class OutOfStockError(Exception):
    """There is less in stock than the order takes. The workflow knows this error by its name."""


class PaymentDeclinedError(Exception):
    """The payment provider said no. The workflow knows this error by its name."""


class UndeliverableError(Exception):
    """No carrier goes there. The workflow knows this error by its name."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asked for.

    Each caller chooses its own `order_id`: what it sends again under the same one is one order.
    """

    caller: str
    order_id: str
    sku: str
    quantity: int
    amount: int  # in cents
    country: str

    @property
    def key(self) -> str:
        """The unique key of the order: its id, and a hash of its caller.

        At most 80 characters, as the name of a workflow may have: 64, a hyphen and 15.
        """
        return f"{self.order_id}-{hashlib.sha256(self.caller.encode()).hexdigest()[:15]}"

    def to_dict(self) -> dict[str, Any]:
        """The order as the workflow carries it."""
        return asdict(self)


def parse_order(caller: str, body: str | None) -> Order:
    """Read a caller's order from JSON.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    fields = read_fields(
        body, order_id=_ID, sku=_ID, quantity=_QUANTITY, amount=_AMOUNT, country=_COUNTRY
    )
    return Order(caller, **fields)


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
