"""The worker ships each order of a batch once."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.domain.orders import Order, Shipment
from toolkit.testing import Lines, Measured, Trace


class Shipments:
    """Stands in for the table."""

    def __init__(self) -> None:
        self.by_order: dict[str, Shipment] = {}

    def add(self, order: Order, shipment: Shipment) -> bool:
        key = f"{shipment.caller}{order.order_id}"
        return self.by_order.setdefault(key, shipment) is shipment


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in {
        "SHIPMENTS_TABLE": "shipments",
        "IDEMPOTENCY_TABLE": "idempotency",
        "IDEMPOTENCY_DAYS": "21",
        "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
        "MAX_RECEIVE_COUNT": "5",
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.process")
    monkeypatch.setattr(module, "shipments", Shipments())
    return module


def record(body: str, caller: str = "") -> dict[str, Any]:
    given = {"caller": {"stringValue": caller, "dataType": "String"}} if caller else {}
    return {
        "messageId": body[:40],
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": given,
    }


def order(order_id: str, sku: str = "teapot") -> str:
    return json.dumps({"order_id": order_id, "sku": sku, "quantity": 1})


def test_every_order_of_a_batch_is_shipped(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    event = {"Records": [record(order("a")), record(order("b"))]}

    assert process.handler(event, context) == {"batchItemFailures": []}
    assert process.shipments.by_order.keys() == {"a", "b"}
    assert measured() == {"MessagesProcessed": 2}


def test_duplicate_order_ships_once(process: ModuleType, context: Any, measured: Measured) -> None:
    event = {"Records": [record(order("a")), record(order("a"))]}

    assert process.handler(event, context) == {"batchItemFailures": []}
    assert process.shipments.by_order.keys() == {"a"}
    assert measured() == {"MessagesProcessed": 1, "DuplicateMessages": 1}


def test_same_id_from_two_callers_is_two_orders(process: ModuleType, context: Any) -> None:
    event = {"Records": [record(order("a"), "caller-1-"), record(order("a"), "caller-2-")]}

    process.handler(event, context)

    assert process.shipments.by_order.keys() == {"caller-1-a", "caller-2-a"}


def test_invalid_order_goes_to_the_dead_letter_queue(
    process: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[tuple[str, str]] = []
    monkeypatch.setattr(
        process, "send_dead_letter", lambda record, cause: aside.append((record["body"], cause))
    )

    answer = process.handler({"Records": [record("poison"), record(order("a"))]}, context)

    assert answer == {"batchItemFailures": []}
    assert aside == [("poison", "PermanentError: the body must be JSON")]
    assert process.shipments.by_order.keys() == {"a"}
    assert measured() == {"MessagesProcessed": 1, "MessagesDeadLettered": 1}


def test_message_stays_in_the_queue_when_time_runs_out(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_little = process.LONGEST_CALL_SECONDS * 1_000
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: too_little)

    answer = process.handler({"Records": [record(order("a"))]}, context)

    assert len(answer["batchItemFailures"]) == 1
    assert process.shipments.by_order == {}


def test_log_has_the_id_and_not_the_content(
    process: ModuleType, context: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "send_dead_letter", lambda *_: None)
    good = order("order-1", sku="marked")
    records = [
        record(good) | {"messageId": "shipped"},
        record(good) | {"messageId": "duplicate"},
        record("marked, and no order") | {"messageId": "dead letter"},
    ]

    process.handler({"Records": records}, context)

    assert "order-1" in {line.get("order_id") for line in lines()}
    assert "marked" not in str(lines())


def test_each_order_is_traced(process: ModuleType, context: Any, trace: Trace) -> None:
    process.handler({"Records": [record(order("a"))]}, context)

    assert trace == {"## handler": {}, "## service.handlers.process.ship_order": {}}
