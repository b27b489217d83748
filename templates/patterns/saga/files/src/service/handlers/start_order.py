"""POST /orders: accepts an order, starts its workflow and answers at once."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from service.adapters.aws import client
from service.adapters.order_workflow import OrderIdUsedError, OrderWorkflow
from service.domain.fields import InvalidFieldsError
from service.domain.orders import parse_order
from service.environment import read_settings
from service.http import Response, correlation_id, json_response, problem
from service.observability import MetricUnit, logger, metrics, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    state_machine_arn: str


settings = read_settings(Settings)
workflow = OrderWorkflow(client("stepfunctions"), settings.state_machine_arn)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the workflow runs, 400 for what is no order, 409 for a used id."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    try:
        order = parse_order(event.get("body"))
    except InvalidFieldsError as error:
        logger.info("refused an order", problems=error.problems)
        return problem(HTTPStatus.BAD_REQUEST, "The order cannot be accepted.", error.problems)
    try:
        is_new = workflow.start(order, correlation)
    except OrderIdUsedError:
        logger.info("refused an order under a used id", order_id=order.order_id)
        return problem(HTTPStatus.CONFLICT, "The order_id was used before, for another order.")
    if is_new:
        logger.info("accepted an order", order_id=order.order_id)
        metrics.add_metric("OrdersAccepted", MetricUnit.Count, 1)
    else:
        logger.info("had been accepted before", order_id=order.order_id)
    return json_response(HTTPStatus.ACCEPTED, {"order_id": order.order_id, "status": "accepted"})
