"""Takes orders from the queue and ships each of them exactly once."""

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.shipments import Shipments
from service.domain.orders import parse_order, ship
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.batch import PermanentError, process_batch
from toolkit.runtime.dead_letters import dead_letter_sender
from toolkit.runtime.environment import read_settings
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.idempotency import IdempotentWriter, KeyReusedError
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, tracer
from toolkit.runtime.transactions import CONFLICT_SECONDS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    shipments_table: str
    idempotency_table: str
    idempotency_days: int
    dead_letter_queue_url: str
    max_receive_count: int


# A call to store the shipment, and if that fails, one to send the dead letter.
LONGEST_RECORD_SECONDS = CONFLICT_SECONDS + 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
shipments = Shipments(
    IdempotentWriter(client("dynamodb"), settings.idempotency_table, settings.idempotency_days),
    settings.shipments_table,
)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Ship the orders of a batch, and name those that SQS must deliver again."""
    return process_batch(
        event["Records"],
        ship_order,
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_RECORD_SECONDS * 1_000,
    )


@tracer.capture_method(capture_response=False)
def ship_order(record: dict[str, Any]) -> None:
    """Ship the order in one record, unless it was shipped before."""
    try:
        order = parse_order(record["body"])
    except InvalidFieldsError as error:
        raise PermanentError(str(error)) from error
    shipment = ship(_caller_of(record), order, str(uuid.uuid4()), int(time.time()))
    try:
        is_new = shipments.add(order, shipment)
    except KeyReusedError as error:
        raise PermanentError(str(error)) from error
    if is_new:
        logger.info("shipped", order_id=order.order_id, shipment_id=shipment.shipment_id)
        metrics.add_metric("MessagesProcessed", MetricUnit.Count, 1)
    else:
        logger.info("duplicate", order_id=order.order_id)
        metrics.add_metric("DuplicateMessages", MetricUnit.Count, 1)


def _caller_of(record: dict[str, Any]) -> str:
    """The caller that sent the order to the API; empty for messages from other senders."""
    given = record.get("messageAttributes", {}).get("caller", {})
    return str(given.get("stringValue", ""))
