"""POST /orders: accepts an order, starts its workflow and answers at once."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.order_workflow import OrderIdUsedError, OrderWorkflow
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

    state_machine_arn: str


# Throttling ends within seconds. Callers should add jitter.
RETRY_AFTER_SECONDS = 2

settings = read_settings(Settings)
workflow = OrderWorkflow(client("stepfunctions"), settings.state_machine_arn)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the workflow runs. README.md lists the other answers."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    try:
        order = parse_order(caller_of(event), event.get("body"))
    except InvalidFieldsError as error:
        logger.info("invalid request", problems=error.problems)
        return problem(HTTPStatus.BAD_REQUEST, "The order is invalid.", error.problems)
    logger.append_keys(order_id=order.order_id, order_key=order.key, caller=order.caller)
    try:
        is_new = workflow.start(order, correlation, event["requestContext"]["requestId"])
    except OrderIdUsedError:
        logger.info("order_id used before")
        return problem(HTTPStatus.CONFLICT, "The order_id was used before, for a different order.")
    except (BotoCoreError, ClientError) as error:
        if not is_transient(error):
            raise
        logger.warning("unavailable", cause=str(error))
        metrics.add_metric("Unavailable", MetricUnit.Count, 1)
        return unavailable(RETRY_AFTER_SECONDS)
    if is_new:
        logger.info("accepted")
        metrics.add_metric("RequestsAccepted", MetricUnit.Count, 1)
    else:
        logger.info("accepted before")
    accepted = {"order_id": order.order_id, "order_key": order.key, "status": "accepted"}
    return json_response(HTTPStatus.ACCEPTED, accepted)
