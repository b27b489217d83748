"""Publishes the events that the outbox's stream brings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.outbox import Outbox, OutboxEvent, event_in
from service.domain.surveys import check_event
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.event_bus import Bus
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.observability import (
    MetricUnit,
    logger,
    metrics,
    observed,
    tracer,
    version_metrics,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    event_bus: str
    event_source: str
    outbox_table: str


settings = read_settings(Settings)
bus = Bus(client("events"), settings.event_bus, settings.event_source)
outbox = Outbox(client("dynamodb"), settings.outbox_table)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Publish the events of a batch, and name the first record that Lambda must bring again.

    Lambda retries from the lowest sequence number that is named.
    docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    events = [event_in(record) for record in event["Records"]]
    failed = publish(events)
    version_metrics.add_metric("MessagesTaken", MetricUnit.Count, len(events))
    version_metrics.add_metric("MessagesFailed", MetricUnit.Count, len(failed))
    first = [one.sequence_number for one in events if one in failed][:1]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in first]}


@tracer.capture_method(capture_response=False)
def publish(events: list[OutboxEvent]) -> list[OutboxEvent]:
    """Publish events until the first that is invalid; returns those that are to be tried again."""
    valid, invalid = [], []
    for event in events:
        try:
            check_event(event.detail_type, event.detail)
        except InvalidFieldsError as error:
            logger.exception("invalid event", event_id=event.event_id, cause=str(error))
            # What comes after it comes again anyway: publishing it now would repeat it.
            invalid = [event]
            break
        valid.append(event)
    try:
        refused = bus.put([(event.detail_type, event.detail) for event in valid])
        taken = [event for place, event in enumerate(valid) if place not in refused]
        if taken:
            outbox.remove(taken)
    except Exception as error:  # noqa: BLE001 (Lambda brings the records again)
        logger.warning("will be retried", cause=f"{type(error).__name__}: {error}", exc_info=True)
        return valid + invalid
    for place, cause in refused.items():
        logger.warning("will be retried", event_id=valid[place].event_id, cause=cause)
    logger.info("published", event_ids=[event.event_id for event in taken])
    metrics.add_metric("EventsPublished", MetricUnit.Count, len(taken))
    return [valid[place] for place in refused] + invalid
