"""The API accepts what is an order, and says what is wrong with the rest."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.accepted_orders import OrderIdUsedError
from service.adapters.order_queue import OrderQueue
from service.domain.orders import Order
from toolkit.testing import Lines, Measured, Trace

BODY = '{"order_id": "order-1", "sku": "teapot", "quantity": 2}'


CALLER = "arn:aws:sts::123456789012:assumed-role/shop"


class Accepted:
    """Stands in for the records of accepted orders."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], Order] = {}

    def remember(self, caller: str, order: Order, _: int) -> None:
        if self.orders.setdefault((caller, order.order_id), order) != order:
            raise OrderIdUsedError


class Orders:
    """Stands in for the queue."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Order, str]] = []

    def send(self, caller: str, order: Order, correlation_id: str) -> None:
        self.sent.append((caller, order, correlation_id))


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in {
        "QUEUE_URL": "https://queue",
        "IDEMPOTENCY_TABLE": "idempotency",
        "IDEMPOTENCY_DAYS": "120",
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.submit")
    monkeypatch.setattr(module, "accepted", Accepted())
    monkeypatch.setattr(module, "orders", Orders())
    return module


def request(body: str | None, session: str = "shop/session-1") -> dict[str, Any]:
    arn = f"arn:aws:sts::123456789012:assumed-role/{session}"
    return {
        "body": body,
        "headers": {"X-Correlation-Id": "abc"},
        "requestContext": {"requestId": "request", "identity": {"userArn": arn}},
    }


def body(**fields: Any) -> str:
    return json.dumps(json.loads(BODY) | fields)


def test_valid_order_is_recorded_and_queued(
    submit: ModuleType, context: Any, measured: Measured
) -> None:
    response = submit.handler(request(BODY), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"order_id": "order-1", "status": "accepted"}
    assert submit.accepted.orders == {(CALLER, "order-1"): Order("order-1", "teapot", 2)}
    assert submit.orders.sent == [(CALLER, Order("order-1", "teapot", 2), "abc")]
    assert measured() == {"RequestsAccepted": 1}


def test_repeated_order_is_queued_again(submit: ModuleType, context: Any) -> None:
    """The first time may have ended between the record and the queue."""
    first = submit.handler(request(BODY), context)

    assert submit.handler(request(BODY, "shop/session-2"), context) == first
    assert len(submit.orders.sent) == 2


def test_different_order_with_a_used_id_gets_409_and_is_not_queued(
    submit: ModuleType, context: Any, measured: Measured
) -> None:
    submit.handler(request(BODY), context)

    response = submit.handler(request(body(quantity=3)), context)

    assert response["statusCode"] == 409
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert len(submit.orders.sent) == 1
    assert measured() == {"RequestsAccepted": 1}


def test_another_caller_has_its_own_order_ids(submit: ModuleType, context: Any) -> None:
    submit.handler(request(BODY), context)

    response = submit.handler(request(body(quantity=3), "other/session-1"), context)

    assert response["statusCode"] == 202
    assert len(submit.orders.sent) == 2


def test_invalid_order_gets_400_and_is_not_queued(
    submit: ModuleType, context: Any, measured: Measured
) -> None:
    response = submit.handler(request(None), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"] == ["the body must be JSON"]
    assert submit.orders.sent == []
    assert submit.accepted.orders == {}
    assert measured() == {}


THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "SendMessage")


@pytest.mark.parametrize(("adapter", "call"), [("accepted", "remember"), ("orders", "send")])
def test_throttling_gets_503_with_retry_after(
    submit: ModuleType,
    context: Any,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    adapter: str,
    call: str,
) -> None:
    def fail(*_: Any) -> None:
        raise THROTTLED

    monkeypatch.setattr(getattr(submit, adapter), call, fail)

    response = submit.handler(request(BODY), context)

    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) >= 1
    assert measured() == {"Unavailable": 1}


@pytest.mark.parametrize("adapter", ["accepted", "orders"])
@pytest.mark.parametrize(
    "error",
    [KeyError("a bug"), ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage")],
    ids=["a bug", "a right is missing"],
)
def test_other_errors_are_raised_for_the_alarm(
    submit: ModuleType,
    context: Any,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    adapter: str,
    error: Exception,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(
        getattr(submit, adapter), {"accepted": "remember", "orders": "send"}[adapter], fail
    )

    with pytest.raises(type(error)):
        submit.handler(request(BODY), context)
    assert measured() == {}


@pytest.mark.parametrize("quantity", [1, 0], ids=["accepted", "refused"])
def test_log_has_the_id_and_not_the_content(
    submit: ModuleType, context: Any, lines: Lines, quantity: int
) -> None:
    fields = {"order_id": "order-1", "sku": "marked", "quantity": quantity}

    submit.handler(request(json.dumps(fields)), context)

    assert "abc" in {line.get("correlation_id") for line in lines()}
    assert "marked" not in str(lines())


def test_message_has_caller_group_and_correlation_id_and_is_traced(
    trace: Trace,
) -> None:
    sent = []

    class Sqs:
        def send_message(self, **message: Any) -> None:
            sent.append(message)

    queue = OrderQueue(Sqs(), "https://queue")  # type: ignore[arg-type]
    queue.send(CALLER, Order("order-1", "teapot", 2), "abc")
    queue.send("another caller", Order("order-1", "teapot", 2), "abc")

    message, other = sent
    assert message["MessageGroupId"] != other["MessageGroupId"]
    assert len(message["MessageGroupId"]) <= 128
    assert message["QueueUrl"] == "https://queue"
    assert json.loads(message["MessageBody"]) == json.loads(BODY)
    attributes = {n: a["StringValue"] for n, a in message["MessageAttributes"].items()}
    assert attributes == {"caller": CALLER, "correlation_id": "abc"}
    assert trace == {"## service.adapters.order_queue.OrderQueue.send": {}}
