"""The API starts one workflow per order, and says what is wrong with the rest."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.order_workflow import OrderIdUsedError, OrderWorkflow
from service.domain.orders import Order
from toolkit.testing import Lines, Measured, Trace

CALLER = "arn:aws:sts::123456789012:assumed-role/shop"
ORDER = Order(CALLER, "order-1", "marked", 2, 4_200, "DE")
ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:Order:live"


class ExecutionAlreadyExists(Exception):  # noqa: N818 (as AWS names it)
    """Step Functions' own error."""


class StepFunctions:
    """Stands in for Step Functions: keeps executions by their name.

    Of StartExecution it says: "if you call it with the same name and input as a running execution,
    the call succeeds and returns the same response as the original request. If the execution is
    closed or if the input is different, it returns a 400 ExecutionAlreadyExists error."
    """

    class exceptions:  # noqa: N801 (as boto3 names it)
        ExecutionAlreadyExists = ExecutionAlreadyExists

    def __init__(self, arn: str = ARN, *, ended: bool = False) -> None:
        self.inputs: dict[str, str] = {}
        self.arn = arn
        self.ended = ended
        self.error: Exception | None = None

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        assert stateMachineArn == self.arn
        if self.error:
            raise self.error
        running = name in self.inputs and not self.ended
        if name in self.inputs and not (running and self.inputs[name] == input):
            raise ExecutionAlreadyExists
        self.inputs[name] = input

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803
        prefix, _, name = executionArn.rpartition(":")
        assert prefix == "arn:aws:states:eu-west-1:123456789012:execution:Order"
        return {"input": self.inputs[name]}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("STATE_MACHINE_ARN", ARN)
    module = importlib.import_module("service.handlers.start")
    stand_in: Any = StepFunctions()
    monkeypatch.setattr(module, "workflow", OrderWorkflow(stand_in, ARN))
    return module


def request(
    body: str | None, correlation: str = "abc", request_id: str = "request", role: str = "shop"
) -> dict[str, Any]:
    identity = {"userArn": f"arn:aws:sts::123456789012:assumed-role/{role}/session"}
    return {
        "body": body,
        "headers": {"X-Correlation-Id": correlation},
        "requestContext": {"requestId": request_id, "identity": identity},
    }


def body(**fields: Any) -> str:
    order = ORDER.to_dict() | fields
    del order["caller"]
    return json.dumps(order)


def test_accepted_order_starts_a_workflow(
    start: ModuleType, context: Any, measured: Measured
) -> None:
    response = start.handler(request(body()), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {
        "order_id": "order-1",
        "order_key": ORDER.key,
        "status": "accepted",
    }
    assert measured() == {"RequestsAccepted": 1}
    started = start.workflow._stepfunctions.inputs[ORDER.key]
    assert json.loads(started) == {
        "order": ORDER.to_dict(),
        "correlation_id": "abc",
        "request_id": "request",
    }


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "after it has ended"])
@pytest.mark.parametrize("correlation", ["first", "second"])
def test_repeated_order_gets_the_same_answer_and_counts_once(
    start: ModuleType, context: Any, measured: Measured, ended: bool, correlation: str
) -> None:
    first = start.handler(request(body(), "first", "request-1"), context)
    start.workflow._stepfunctions.ended = ended

    again = start.handler(request(body(), correlation, "request-2"), context)

    assert again == first
    assert measured() == {"RequestsAccepted": 1}


@pytest.mark.parametrize("ended", [False, True], ids=["while it runs", "after it has ended"])
def test_sdk_retry_of_a_call_counts_as_the_first(ended: bool) -> None:
    """Its answer was lost on the way."""
    stand_in: Any = StepFunctions()
    workflow = OrderWorkflow(stand_in, ARN)
    workflow.start(ORDER, "abc", "request")
    stand_in.ended = ended

    assert workflow.start(ORDER, "abc", "request")


def test_another_caller_has_its_own_order_ids(
    start: ModuleType, context: Any, measured: Measured
) -> None:
    start.handler(request(body()), context)

    response = start.handler(request(body(quantity=3), role="other"), context)

    assert response["statusCode"] == 202
    assert measured() == {"RequestsAccepted": 2}


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded"])
def test_throttling_gets_503_with_retry_after(
    start: ModuleType, context: Any, measured: Measured, code: str
) -> None:
    error = ClientError({"Error": {"Code": code}}, "StartExecution")
    start.workflow._stepfunctions.error = error

    response = start.handler(request(body()), context)

    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) >= 1
    assert measured() == {"Unavailable": 1}


def test_different_order_with_a_used_id_gets_409(
    start: ModuleType, context: Any, measured: Measured
) -> None:
    start.handler(request(body()), context)

    response = start.handler(request(body(quantity=3)), context)

    assert response["statusCode"] == 409
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert measured() == {"RequestsAccepted": 1}


def test_invalid_order_gets_400_and_starts_no_workflow(
    start: ModuleType, context: Any, measured: Measured
) -> None:
    response = start.handler(request(None), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"] == ["the body must be JSON"]
    assert start.workflow._stepfunctions.inputs == {}
    assert measured() == {}


@pytest.mark.parametrize(
    "error",
    [KeyError("a bug"), ClientError({"Error": {"Code": "AccessDenied"}}, "StartExecution")],
    ids=["a bug", "a right is missing"],
)
def test_other_errors_are_raised_for_the_alarm(
    start: ModuleType, context: Any, measured: Measured, error: Exception
) -> None:
    start.workflow._stepfunctions.error = error

    with pytest.raises(type(error)):
        start.handler(request(body()), context)
    assert measured() == {}


@pytest.mark.parametrize("quantity", [1, 0], ids=["accepted", "refused"])
def test_log_has_the_id_and_not_the_content(
    start: ModuleType, context: Any, lines: Lines, quantity: int
) -> None:
    start.handler(request(body(quantity=quantity)), context)

    assert "abc" in {line.get("correlation_id") for line in lines()}
    assert "marked" not in str(lines())


def test_starting_is_traced(trace: Trace) -> None:
    stand_in: Any = StepFunctions()

    assert OrderWorkflow(stand_in, ARN).start(ORDER, "abc", "request")

    assert trace == {"## service.adapters.order_workflow.OrderWorkflow.start": {}}


def test_used_id_raises_its_error() -> None:
    stand_in: Any = StepFunctions()
    workflow = OrderWorkflow(stand_in, ARN)
    workflow.start(ORDER, "abc", "request")

    with pytest.raises(OrderIdUsedError, match="order-1"):
        workflow.start(Order(CALLER, "order-1", "other", 1, 1, "DE"), "abc", "request-2")


@pytest.mark.parametrize("suffix", ["", ":live", ":3"])
def test_execution_is_found_for_every_version_and_alias(suffix: str) -> None:
    stand_in: Any = StepFunctions(ARN + suffix, ended=True)
    workflow = OrderWorkflow(stand_in, ARN + suffix)
    workflow.start(ORDER, "abc", "request-1")

    assert not workflow.start(ORDER, "abc", "request-2")
