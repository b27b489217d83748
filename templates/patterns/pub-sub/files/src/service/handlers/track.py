"""Subscriber to all events: keeps the newest status of each shipment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.event_records import event_in
from service.adapters.shipments import Shipments
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.batch import process_batch
from toolkit.runtime.dead_letters import dead_letter_sender
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    shipments_table: str
    dead_letter_queue_url: str
    max_receive_count: int


# A call to store the status, and if that fails, one to send the dead letter.
LONGEST_RECORD_SECONDS = 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
shipments = Shipments(client("dynamodb"), settings.shipments_table)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Track the events of a batch, and name those that SQS must deliver again."""
    return process_batch(
        event["Records"],
        track_shipment,
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_RECORD_SECONDS * 1_000,
    )


@tracer.capture_method(capture_response=False)
def track_shipment(record: dict[str, Any]) -> None:
    """Store the status in one record, unless a newer one is stored."""
    event = event_in(record)
    if shipments.update(event):
        logger.info("tracked", event_id=event.event_id, shipment_id=event.shipment_id)
        metrics.add_metric("MessagesProcessed", MetricUnit.Count, 1)
    else:
        logger.info("outdated or duplicate", event_id=event.event_id)
        metrics.add_metric("OutdatedMessages", MetricUnit.Count, 1)
