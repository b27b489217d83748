"""The API starts one workflow per order, and says what is wrong with the rest."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.adapters.order_workflow import OrderIdUsedError, OrderWorkflow
from service.domain.orders import Order
from tests.unit.conftest import Lines, Measured, Trace

ORDER = Order("order-1", "marked", 2, 4_200, "DE")
ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:Order:live"


class ExecutionAlreadyExists(Exception):  # noqa: N818 (as AWS names it)
    """Step Functions' own error."""


class StepFunctions:
    """Stands in for Step Functions: keeps executions by their name."""

    class exceptions:  # noqa: N801 (as boto3 names it)
        ExecutionAlreadyExists = ExecutionAlreadyExists

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        assert stateMachineArn == ARN
        if name in self.inputs:
            raise ExecutionAlreadyExists
        self.inputs[name] = input

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803
        prefix, _, name = executionArn.rpartition(":")
        assert prefix == "arn:aws:states:eu-west-1:123456789012:execution:Order"
        return {"input": self.inputs[name]}


@pytest.fixture
def start_order(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("STATE_MACHINE_ARN", ARN)
    module = importlib.import_module("service.handlers.start_order")
    stand_in: Any = StepFunctions()
    monkeypatch.setattr(module, "workflow", OrderWorkflow(stand_in, ARN))
    return module


def request(body: str | None, correlation: str = "abc") -> dict[str, Any]:
    return {
        "body": body,
        "headers": {"X-Correlation-Id": correlation},
        "requestContext": {"requestId": "request"},
    }


def body(**fields: Any) -> str:
    return json.dumps(ORDER.to_dict() | fields)


def test_an_order_is_accepted_and_its_workflow_started_with_it(
    start_order: ModuleType, context: Any, measured: Measured
) -> None:
    response = start_order.handler(request(body()), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"order_id": "order-1", "status": "accepted"}
    assert measured() == {"OrdersAccepted": 1}
    started = start_order.workflow._stepfunctions.inputs["order-1"]
    assert json.loads(started) == {"order": ORDER.to_dict(), "correlation_id": "abc"}


def test_a_repeated_order_gets_the_same_answer_and_counts_once(
    start_order: ModuleType, context: Any, measured: Measured
) -> None:
    first = start_order.handler(request(body(), "first"), context)

    assert start_order.handler(request(body(), "second"), context) == first
    assert measured() == {"OrdersAccepted": 1}


def test_another_order_under_a_used_id_is_a_conflict(
    start_order: ModuleType, context: Any, measured: Measured
) -> None:
    start_order.handler(request(body()), context)

    response = start_order.handler(request(body(quantity=3)), context)

    assert response["statusCode"] == 409
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert measured() == {"OrdersAccepted": 1}


def test_what_is_no_order_is_refused_and_starts_nothing(
    start_order: ModuleType, context: Any, measured: Measured
) -> None:
    response = start_order.handler(request(None), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"] == ["the body must be JSON"]
    assert start_order.workflow._stepfunctions.inputs == {}
    assert measured() == {}


def test_an_order_that_cannot_be_started_is_not_accepted(
    start_order: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(order: Order, correlation_id: str) -> bool:
        raise ConnectionError

    monkeypatch.setattr(start_order.workflow, "start", fail)

    with pytest.raises(ConnectionError):
        start_order.handler(request(body()), context)
    assert measured() == {}


@pytest.mark.parametrize("quantity", [1, 0], ids=["accepted", "refused"])
def test_the_log_names_the_order_but_never_holds_it(
    start_order: ModuleType, context: Any, lines: Lines, quantity: int
) -> None:
    start_order.handler(request(body(quantity=quantity)), context)

    assert "abc" in {line.get("correlation_id") for line in lines()}
    assert "marked" not in str(lines())


def test_starting_is_a_part_of_the_trace(trace: Trace) -> None:
    stand_in: Any = StepFunctions()

    assert OrderWorkflow(stand_in, ARN).start(ORDER, "abc")

    assert trace == {"## service.adapters.order_workflow.OrderWorkflow.start": {}}


def test_a_used_id_is_told_by_its_error() -> None:
    stand_in: Any = StepFunctions()
    workflow = OrderWorkflow(stand_in, ARN)
    workflow.start(ORDER, "abc")

    with pytest.raises(OrderIdUsedError, match="order-1"):
        workflow.start(Order("order-1", "other", 1, 1, "DE"), "abc")
