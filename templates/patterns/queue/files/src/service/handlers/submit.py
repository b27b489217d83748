"""POST /orders: accepts an order, puts it in the queue and answers at once."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.accepted_orders import AcceptedOrders, OrderIdUsedError
from service.adapters.order_queue import OrderQueue
from service.domain.orders import parse_order
from toolkit.runtime.aws import client, is_transient
from toolkit.runtime.environment import read_settings
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.http import (
    Response,
    caller_of,
    correlation_id,
    json_response,
    problem,
    unavailable,
)
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    idempotency_table: str
    idempotency_days: int
    queue_url: str


# Throttling ends within seconds. Callers should add jitter.
RETRY_AFTER_SECONDS = 2

settings = read_settings(Settings)
accepted = AcceptedOrders(client("dynamodb"), settings.idempotency_table, settings.idempotency_days)
orders = OrderQueue(client("sqs"), settings.queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the order is in the queue. README.md lists the other answers."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    try:
        order = parse_order(event.get("body"))
    except InvalidFieldsError as error:
        logger.info("invalid request", problems=error.problems)
        return problem(HTTPStatus.BAD_REQUEST, "The order is invalid.", error.problems)
    caller = caller_of(event)
    logger.append_keys(order_id=order.order_id, caller=caller)
    try:
        # Recorded before it is sent, so that every message in the queue can be shipped. After a
        # crash in between, the same order is accepted again.
        accepted.remember(caller, order, int(time.time()))
        orders.send(caller, order, correlation)
    except OrderIdUsedError:
        logger.info("order_id used before")
        return problem(HTTPStatus.CONFLICT, "The order_id was used before, for a different order.")
    except (BotoCoreError, ClientError) as error:
        if not is_transient(error):
            raise
        logger.warning("unavailable", cause=str(error))
        metrics.add_metric("Unavailable", MetricUnit.Count, 1)
        return unavailable(RETRY_AFTER_SECONDS)
    logger.info("accepted")
    metrics.add_metric("RequestsAccepted", MetricUnit.Count, 1)
    return json_response(HTTPStatus.ACCEPTED, {"order_id": order.order_id, "status": "accepted"})
