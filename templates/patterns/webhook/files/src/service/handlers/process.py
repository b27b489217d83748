"""Takes deliveries from the queue and stores what their events say, each exactly once."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.payments import Outcome, Payments
from service.domain.deliveries import parse_delivery, printable
from service.domain.payments import HANDLED, InvalidEventError, payment_after, type_of
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

    payments_table: str
    idempotency_table: str
    idempotency_days: int
    dead_letter_queue_url: str
    max_receive_count: int


# A call to store the event, and if that fails, one to send the dead letter.
LONGEST_RECORD_SECONDS = CONFLICT_SECONDS + 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
payments = Payments(
    IdempotentWriter(client("dynamodb"), settings.idempotency_table, settings.idempotency_days),
    settings.payments_table,
)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Store the events of a batch, and name those that SQS must deliver again."""
    return process_batch(
        event["Records"],
        store_event,
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_RECORD_SECONDS * 1_000,
    )


@tracer.capture_method(capture_response=False)
def store_event(record: dict[str, Any]) -> None:
    """Store the event in one record, unless that was done before or a later one is stored."""
    try:
        delivery = parse_delivery(record["body"])
        event_type = type_of(delivery)
        if event_type not in HANDLED:
            metrics.add_metric("EventsIgnored", MetricUnit.Count, 1)
            logger.info(
                "ignored", delivery_id=delivery.delivery_id, event_type=printable(event_type)
            )
            return
        payment = payment_after(delivery, event_type)
        outcome = payments.store(delivery, payment, int(time.time()))
    except (InvalidFieldsError, InvalidEventError, KeyReusedError) as error:
        raise PermanentError(str(error)) from error
    logger.info(outcome.value, delivery_id=delivery.delivery_id, event_type=event_type)
    match outcome:
        case Outcome.STORED:
            metrics.add_metric("EventsStored", MetricUnit.Count, 1)
        case Outcome.DUPLICATE:
            metrics.add_metric("DuplicateEvents", MetricUnit.Count, 1)
        case Outcome.OUTDATED:
            metrics.add_metric("OutdatedEvents", MetricUnit.Count, 1)
