"""Starts the workflow of an order, once per order."""

import json
from typing import TYPE_CHECKING

from service.domain.orders import Order
from service.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class OrderIdUsedError(Exception):
    """The order's id was used before, for another order."""


class OrderWorkflow:
    """The state machine; an execution bears the name of its order."""

    def __init__(self, stepfunctions: "SFNClient", state_machine_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn

    @tracer.capture_method(capture_response=False)
    def start(self, order: Order, correlation_id: str) -> bool:
        """Start the order's workflow; whether it was not there before.

        Raises:
            OrderIdUsedError: the id stands for another order.
        """
        begin = {"order": order.to_dict(), "correlation_id": correlation_id}
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=order.order_id,
                input=json.dumps(begin),
            )
        except self._stepfunctions.exceptions.ExecutionAlreadyExists:
            # The name is taken for 90 days. A caller who repeats an order need not repeat the
            # correlation id, so the orders are compared and not the inputs.
            if self._order_under(order.order_id) != order.to_dict():
                raise OrderIdUsedError(order.order_id) from None
            return False
        return True

    def _order_under(self, name: str) -> object:
        # An alias's ARN ends in its name, after the workflow's; executions belong to the workflow.
        workflow = ":".join(self._state_machine_arn.split(":")[:7])
        arn = workflow.replace(":stateMachine:", ":execution:") + f":{name}"
        execution = self._stepfunctions.describe_execution(executionArn=arn)
        return json.loads(execution["input"])["order"]
