"""Starts the workflow of an order, once per order."""

import json
from typing import TYPE_CHECKING, Any

from service.domain.orders import Order
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class OrderIdUsedError(Exception):
    """The caller used the order_id before, for another order."""


class OrderWorkflow:
    """The state machine. An execution's name is the key of its order."""

    def __init__(self, stepfunctions: "SFNClient", state_machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn

    @tracer.capture_method(capture_response=False)
    def start(self, order: Order, correlation_id: str, request_id: str) -> bool:
        """Start the order's workflow; whether this request was the one that started it.

        The request's id is a part of the input. StartExecution succeeds as well when an execution
        of the same name and input is running: so it does when the SDK repeats this very call, and
        for no other request.

        Raises:
            OrderIdUsedError: the caller used the order_id for a different order.
        """
        begin = {
            "order": order.to_dict(),
            "correlation_id": correlation_id,
            "request_id": request_id,
        }
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=order.key,
                input=json.dumps(begin),
            )
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            # The name is taken until 90 days after the execution has ended.
            begun = self._input_of(order.key)
            if begun["order"] != order.to_dict():
                raise OrderIdUsedError(order.order_id) from None
            return bool(begun.get("request_id") == request_id)
        return True

    def _input_of(self, name: str) -> dict[str, Any]:
        # Without the version or alias that the state machine's ARN may end with.
        parts = self._state_machine_arn.split(":")
        arn = ":".join([*parts[:5], "execution", parts[6], name])
        execution = self._stepfunctions.describe_execution(executionArn=arn)
        begun: dict[str, Any] = json.loads(execution["input"])
        return begun
