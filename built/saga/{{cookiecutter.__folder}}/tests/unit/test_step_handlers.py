"""Each step does its one thing, and says by an error's name why it did not."""

import importlib
from types import ModuleType
from typing import Any

import pytest

from service.domain.orders import (
    Order,
    OutOfStockError,
    PaymentDeclinedError,
    UndeliverableError,
)
from toolkit.testing import Lines, Measured

ORDER = {
    "caller": "shop",
    "order_id": "order-1",
    "sku": "marked",
    "quantity": 2,
    "amount": 4_200,
    "country": "DE",
}
TABLES = ("STOCK_TABLE", "PAYMENTS_TABLE", "SHIPMENTS_TABLE", "STEPS_TABLE", "NOTIFICATIONS_TOPIC")


class Adapter:
    """Stands in for whatever a step writes to."""

    def __init__(self, answer: Any = True, error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error
        self.asked: list[tuple[str, Order]] = []

    def __getattr__(self, name: str) -> Any:
        def call(order: Order, *rest: Any) -> Any:
            self.asked.append((name, order))
            if self.error:
                raise self.error
            return self.answer

        return call


def event(**fields: Any) -> dict[str, Any]:
    return {"order": ORDER | fields, "correlation_id": "abc"}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A handler's module, with a stand-in for its adapter."""
    for name in TABLES:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("STEPS_DAYS", "90")

    def load(name: str, adapter: str, stand_in: Adapter) -> ModuleType:
        module = importlib.import_module(f"service.handlers.{name}")
        monkeypatch.setattr(module, adapter, stand_in)
        return module

    return load


@pytest.mark.parametrize(
    ("handler", "adapter", "call", "answer"),
    [
        ("reserve_stock", "stock", "reserve", {"reservation_id": "id"}),
        ("take_payment", "payments", "take", {"payment_id": "id"}),
        ("arrange_shipping", "shipments", "arrange", {"shipment_id": "id"}),
        ("cancel_shipping", "shipments", "cancel", {"undone": "id"}),
        ("refund_payment", "payments", "refund", {"undone": "id"}),
        ("release_stock", "stock", "release", {"undone": "id"}),
        ("notify_customer", "notifications", "order_fulfilled", None),
    ],
)
def test_step_calls_its_adapter_with_the_order(
    load: Any, context: Any, lines: Lines, handler: str, adapter: str, call: str, answer: Any
) -> None:
    stand_in = Adapter("id")
    module = load(handler, adapter, stand_in)

    assert module.handler(event(), context) == answer

    assert stand_in.asked == [(call, Order(**ORDER))]  # type: ignore[arg-type]
    last = [line for line in lines() if "correlation_id" in line][-1]
    assert (last["correlation_id"], last["order_id"]) == ("abc", "order-1")
    assert "marked" not in str(lines()), "the log names the order but never holds it"


@pytest.mark.parametrize(
    ("handler", "adapter", "fields", "error", "metric"),
    [
        ("reserve_stock", "stock", {}, OutOfStockError, "OutOfStock"),
        (
            "take_payment",
            "payments",
            {"amount": 10**8},
            PaymentDeclinedError,
            "PaymentsDeclined",
        ),
        ("arrange_shipping", "shipments", {"country": "AQ"}, UndeliverableError, "Undeliverable"),
    ],
)
def test_refusal_is_counted_and_raised(
    load: Any,
    context: Any,
    measured: Measured,
    handler: str,
    adapter: str,
    fields: dict[str, Any],
    error: type[Exception],
    metric: str,
) -> None:
    stand_in = Adapter(error=OutOfStockError())
    module = load(handler, adapter, stand_in)

    with pytest.raises(error):
        module.handler(event(**fields), context)

    assert measured() == {metric: 1}
    assert handler == "reserve_stock" or stand_in.asked == []


@pytest.mark.parametrize(
    ("handler", "adapter", "fields", "error", "counted"),
    [
        ("reserve_stock", "stock", {}, OutOfStockError(), {"Refusals": 1}),
        ("take_payment", "payments", {"amount": 10**8}, None, {"Refusals": 1}),
        ("arrange_shipping", "shipments", {"country": "AQ"}, None, {"Refusals": 1}),
        ("reserve_stock", "stock", {}, KeyError(), {}),
        ("take_payment", "payments", {}, KeyError(), {}),
        ("arrange_shipping", "shipments", {}, KeyError(), {}),
    ],
)
def test_refusals_are_counted_for_alarms_and_failures_are_not(
    load: Any,
    context: Any,
    measured_by_version: Measured,
    handler: str,
    adapter: str,
    fields: dict[str, Any],
    error: Exception | None,
    counted: dict[str, float],
) -> None:
    """Lambda counts both as errors; the alarms subtract the refusals."""
    module = load(handler, adapter, Adapter(error=error))

    with pytest.raises(Exception):  # noqa: B017, PT011 (any of them)
        module.handler(event(**fields), context)

    assert measured_by_version() == counted


@pytest.mark.parametrize(
    ("undone", "logged"), [(True, "payment refunded"), (False, "nothing to undo")]
)
def test_log_says_whether_a_step_was_undone(
    load: Any, context: Any, lines: Lines, undone: bool, logged: str
) -> None:
    module = load("refund_payment", "payments", Adapter(undone))

    module.handler(event(), context)

    assert logged in {line["message"] for line in lines()}
