"""The API accepts what is an order, and says what is wrong with the rest."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.adapters.order_queue import OrderQueue
from service.domain.orders import Order
from tests.unit.conftest import Lines, Measured, Trace

BODY = '{"order_id": "order-1", "sku": "teapot", "quantity": 2}'


class Orders:
    """Stands in for the queue."""

    def __init__(self) -> None:
        self.sent: list[tuple[Order, str]] = []

    def send(self, order: Order, correlation_id: str) -> None:
        self.sent.append((order, correlation_id))


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("QUEUE_URL", "https://queue")
    module = importlib.import_module("service.handlers.submit")
    monkeypatch.setattr(module, "orders", Orders())
    return module


def request(body: str | None) -> dict[str, Any]:
    return {
        "body": body,
        "headers": {"X-Correlation-Id": "abc"},
        "requestContext": {"requestId": "request"},
    }


def test_an_order_is_queued_and_accepted(
    submit: ModuleType, context: Any, measured: Measured
) -> None:
    response = submit.handler(request(BODY), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"order_id": "order-1", "status": "accepted"}
    assert submit.orders.sent == [(Order("order-1", "teapot", 2), "abc")]
    assert measured() == {"OrdersAccepted": 1}


def test_what_is_no_order_is_refused_and_not_queued(
    submit: ModuleType, context: Any, measured: Measured
) -> None:
    response = submit.handler(request(None), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"] == ["the body must be JSON"]
    assert submit.orders.sent == []
    assert measured() == {}


def test_an_order_that_cannot_be_queued_is_not_accepted(
    submit: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(order: Order, correlation_id: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(submit.orders, "send", send)

    with pytest.raises(ConnectionError):
        submit.handler(request(BODY), context)
    assert measured() == {}


@pytest.mark.parametrize("quantity", [1, 0], ids=["accepted", "refused"])
def test_the_log_names_the_order_but_never_holds_it(
    submit: ModuleType, context: Any, lines: Lines, quantity: int
) -> None:
    fields = {"order_id": "order-1", "sku": "marked", "quantity": quantity}

    submit.handler(request(json.dumps(fields)), context)

    assert "abc" in {line.get("correlation_id") for line in lines()}
    assert "marked" not in str(lines())


def test_the_queue_gets_the_order_and_its_correlation_id_as_a_part_of_the_trace(
    trace: Trace,
) -> None:
    sent = []

    class Sqs:
        def send_message(self, **message: Any) -> None:
            sent.append(message)

    OrderQueue(Sqs(), "https://queue").send(Order("order-1", "teapot", 2), "abc")  # type: ignore[arg-type]

    [message] = sent
    assert message["QueueUrl"] == "https://queue"
    assert json.loads(message["MessageBody"]) == json.loads(BODY)
    assert message["MessageAttributes"]["correlation_id"]["StringValue"] == "abc"
    assert trace == {"## service.adapters.order_queue.OrderQueue.send": {}}
