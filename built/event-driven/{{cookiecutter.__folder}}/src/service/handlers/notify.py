"""Consumer of processed surveys: stores one notification for each event."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.bus_events import detail_in
from service.adapters.notifications import Notifications
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

    notifications_table: str
    dead_letter_queue_url: str
    max_receive_count: int


# A call to store the notification, and if that fails, one to send the dead letter.
LONGEST_RECORD_SECONDS = 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
notifications = Notifications(client("dynamodb"), settings.notifications_table)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Notify of the events of a batch, and name those that SQS must deliver again."""
    return process_batch(
        event["Records"],
        notify_once,
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_RECORD_SECONDS * 1_000,
    )


@tracer.capture_method(capture_response=False)
def notify_once(record: dict[str, Any]) -> None:
    """Store the notification of one record, unless there was one before."""
    event = detail_in(record)
    logger.append_keys(correlation_id=event.correlation_id)
    if notifications.add(event, int(time.time())):
        logger.info("notified", event_id=event.event_id, object_key=event.object_key)
        metrics.add_metric("MessagesProcessed", MetricUnit.Count, 1)
    else:
        logger.info("duplicate", event_id=event.event_id)
        metrics.add_metric("DuplicateMessages", MetricUnit.Count, 1)
