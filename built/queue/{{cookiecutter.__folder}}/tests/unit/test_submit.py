"""The API accepts what is an order, and says what is wrong with the rest."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.domain.orders import Order


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


def test_an_order_is_queued_and_accepted(submit: ModuleType, context: Any) -> None:
    body = '{"order_id": "order-1", "sku": "teapot", "quantity": 2}'

    response = submit.handler(request(body), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"order_id": "order-1", "status": "accepted"}
    assert submit.orders.sent == [(Order("order-1", "teapot", 2), "abc")]


def test_what_is_no_order_is_refused_and_not_queued(submit: ModuleType, context: Any) -> None:
    response = submit.handler(request(None), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"] == ["the body must be JSON"]
    assert submit.orders.sent == []


def test_an_order_that_cannot_be_queued_is_not_accepted(
    submit: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(order: Order, correlation_id: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(submit.orders, "send", send)

    with pytest.raises(ConnectionError):
        submit.handler(request('{"order_id": "a", "sku": "b", "quantity": 1}'), context)
