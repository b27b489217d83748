"""Orders, and the reasons for which one is refused on its way."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_QUANTITY = 1_000
LARGEST_AMOUNT = 100_000_000
# What the payment provider takes in one go, in cents.
LARGEST_PAYMENT = 1_000_000
DELIVERS_TO = frozenset({"AT", "CH", "DE", "FR", "GB", "IE", "NL", "US"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class InvalidOrderError(Exception):
    """The text is not an order; `problems` says what to mend, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class OutOfStockError(Exception):
    """There is less in stock than was ordered. The workflow knows this error by its name."""


class PaymentDeclinedError(Exception):
    """The payment provider said no. The workflow knows this error by its name."""


class UndeliverableError(Exception):
    """No carrier goes there. The workflow knows this error by its name."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer asked for. The caller chooses `order_id`: sent again, it is one order."""

    order_id: str
    sku: str
    quantity: int
    amount: int  # in cents
    country: str

    def to_dict(self) -> dict[str, Any]:
        """The order as the workflow carries it."""
        return asdict(self)


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
        *_problems_of_number("quantity", LARGEST_QUANTITY, fields),
        *_problems_of_number("amount", LARGEST_AMOUNT, fields),
        *_problems_of_country(fields),
        *(f"{name!r} is not a field of an order" for name in fields.keys() - _FIELDS),
    ]
    if problems:
        raise InvalidOrderError(problems)
    return Order(**fields)


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


_FIELDS = frozenset(Order.__dataclass_fields__)


def _problems_of_id(name: str, fields: dict[str, Any]) -> list[str]:
    value = fields.get(name)
    if isinstance(value, str) and _ID.fullmatch(value):
        return []
    return [f"{name} must be 1 to 64 letters, digits, hyphens or underscores"]


def _problems_of_number(name: str, largest: int, fields: dict[str, Any]) -> list[str]:
    value = fields.get(name)
    if type(value) is int and 1 <= value <= largest:
        return []
    return [f"{name} must be a whole number from 1 to {largest}"]


def _problems_of_country(fields: dict[str, Any]) -> list[str]:
    value = fields.get("country")
    if isinstance(value, str) and _COUNTRY.fullmatch(value):
        return []
    return ["country must be two capital letters"]
