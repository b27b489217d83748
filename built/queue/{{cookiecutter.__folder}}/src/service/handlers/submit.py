"""POST /orders: accepts an order, puts it in the queue and answers at once."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from service.adapters.aws import client
from service.adapters.order_queue import OrderQueue
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

    queue_url: str


settings = read_settings(Settings)
orders = OrderQueue(client("sqs"), settings.queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the order is safe in the queue, 400 when it is none."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    try:
        order = parse_order(event.get("body"))
    except InvalidFieldsError as error:
        logger.info("refused an order", problems=error.problems)
        return problem(HTTPStatus.BAD_REQUEST, "The order cannot be accepted.", error.problems)
    orders.send(order, correlation)
    logger.info("accepted an order", order_id=order.order_id)
    metrics.add_metric("OrdersAccepted", MetricUnit.Count, 1)
    return json_response(HTTPStatus.ACCEPTED, {"order_id": order.order_id, "status": "accepted"})
