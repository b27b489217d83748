"""POST /shipments: publishes one event, or a list of up to ten, to the topic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.event_topic import EventTopic, NotPublishedError
from service.domain.shipments import parse_events
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

    topic_arn: str


# Throttling ends within seconds. Callers should add jitter.
RETRY_AFTER_SECONDS = 2

settings = read_settings(Settings)
topic = EventTopic(client("sns"), settings.topic_arn)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the topic has all events. README.md lists the other answers."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    try:
        events = parse_events(event.get("body"), datetime.now(UTC))
    except InvalidFieldsError as error:
        logger.info("invalid request", problems=error.problems)
        return problem(HTTPStatus.BAD_REQUEST, "The events are invalid.", error.problems)
    caller, ids = caller_of(event), [one.event_id for one in events]
    logger.append_keys(event_ids=ids, caller=caller)
    try:
        topic.publish(caller, events, correlation)
    except (NotPublishedError, BotoCoreError, ClientError) as error:
        if not isinstance(error, NotPublishedError) and not is_transient(error):
            raise
        # Some events may be published. All of them can be sent again: subscribers know their ids.
        logger.warning("unavailable", cause=str(error))
        metrics.add_metric("Unavailable", MetricUnit.Count, 1)
        return unavailable(RETRY_AFTER_SECONDS)
    logger.info("published")
    metrics.add_metric("MessagesPublished", MetricUnit.Count, len(events))
    return json_response(HTTPStatus.ACCEPTED, {"event_ids": ids, "status": "accepted"})
