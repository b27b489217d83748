"""What each step writes beside its record, and what its compensation does about it."""

from collections.abc import Callable
from typing import Any

import pytest

from service.adapters.payments import Payments
from service.adapters.shipments import Shipments
from service.adapters.steps import EffectRefusedError
from service.adapters.stock import Stock
from service.domain.orders import Order, OutOfStockError
from toolkit.testing import Trace

ORDER = Order("shop", "order-1", "teapot", 2, 4_200, "DE")
NOW = 1_000


class Steps:
    """Stands in for the record of steps."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[Any, ...]] = []

    def do_once(self, *asked: Any) -> str:
        self.asked.append(asked)
        if self.error:
            raise self.error
        return "the first one's"

    def undo_once(self, *asked: Any) -> bool:
        self.asked.append(asked)
        return True


def update_of(call: Callable[[Any], object], step: str) -> dict[str, Any]:
    """The one update that a call hands over, and whether it is for the right step."""
    steps = Steps()
    call(steps)
    [(key, of_step, [write], *_, now)] = steps.asked
    assert (key, of_step, now) == (ORDER.key, step, NOW)
    update: dict[str, Any] = write["Update"]
    return update


def test_stock_is_reserved_only_if_available() -> None:
    update = update_of(lambda steps: Stock(steps, "t").reserve(ORDER, "id", NOW), "stock")

    assert update == {
        "TableName": "t",
        "Key": {"sku": {"S": "teapot"}},
        "UpdateExpression": "SET available = available - :quantity",
        "ConditionExpression": "available >= :quantity",
        "ExpressionAttributeValues": {":quantity": {"N": "2"}},
    }


def test_stock_is_released() -> None:
    update = update_of(lambda steps: Stock(steps, "t").release(ORDER, NOW), "stock")

    assert update["Key"] == {"sku": {"S": "teapot"}}
    assert update["UpdateExpression"] == "SET available = available + :quantity"
    assert update["ExpressionAttributeValues"] == {":quantity": {"N": "2"}}


def test_insufficient_stock_is_out_of_stock() -> None:
    with pytest.raises(OutOfStockError, match="teapot"):
        Stock(Steps(EffectRefusedError()), "t").reserve(ORDER, "id", NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "step", "values"),
    [
        pytest.param(
            lambda steps: Payments(steps, "t").take(ORDER, "p", NOW),
            "payment",
            {"id": "p", "amount": "4200", "taken": "taken", "now": "1000"},
            id="take",
        ),
        pytest.param(
            lambda steps: Payments(steps, "t").refund(ORDER, NOW),
            "payment",
            {"refunded": "refunded", "now": "1000"},
            id="refund",
        ),
        pytest.param(
            lambda steps: Shipments(steps, "t").arrange(ORDER, "s", NOW),
            "shipment",
            {
                "id": "s",
                "sku": "teapot",
                "quantity": "2",
                "country": "DE",
                "arranged": "arranged",
                "now": "1000",
            },
            id="arrange",
        ),
        pytest.param(
            lambda steps: Shipments(steps, "t").cancel(ORDER, NOW),
            "shipment",
            {"cancelled": "cancelled", "now": "1000"},
            id="cancel",
        ),
    ],
)
def test_payments_and_shipments_are_stored_under_their_order(
    call: Callable[[Any], object], step: str, values: dict[str, str]
) -> None:
    update = update_of(call, step)

    assert (update["TableName"], update["Key"]) == ("t", {"order_key": {"S": ORDER.key}})
    found = {
        name.removeprefix(":"): next(iter(value.values()))
        for name, value in update["ExpressionAttributeValues"].items()
    }
    assert found == values
    assert all(f":{name}" in update["UpdateExpression"] for name in values)
    assert update["ExpressionAttributeNames"] == {"#state": "state"}


@pytest.mark.parametrize(
    "call",
    [
        lambda steps: Stock(steps, "t").reserve(ORDER, "second", NOW),
        lambda steps: Payments(steps, "t").take(ORDER, "second", NOW),
        lambda steps: Shipments(steps, "t").arrange(ORDER, "second", NOW),
    ],
    ids=["stock", "payment", "shipment"],
)
def test_repeated_step_gets_the_first_answer(call: Callable[[Any], str]) -> None:
    assert call(Steps()) == "the first one's"


def test_each_effect_is_traced(trace: Trace) -> None:
    steps: Any = Steps()

    Stock(steps, "t").reserve(ORDER, "id", NOW)
    Stock(steps, "t").release(ORDER, NOW)
    Payments(steps, "t").take(ORDER, "id", NOW)
    Payments(steps, "t").refund(ORDER, NOW)
    Shipments(steps, "t").arrange(ORDER, "id", NOW)
    Shipments(steps, "t").cancel(ORDER, NOW)

    assert trace == {
        f"## service.adapters.{name}": {}
        for name in (
            "stock.Stock.reserve",
            "stock.Stock.release",
            "payments.Payments.take",
            "payments.Payments.refund",
            "shipments.Shipments.arrange",
            "shipments.Shipments.cancel",
        )
    }
