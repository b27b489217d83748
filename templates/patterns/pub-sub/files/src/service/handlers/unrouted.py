"""Subscriber to what no other subscription wants: a person has to see it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.event_records import attribute_of
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.batch import process_batch
from toolkit.runtime.dead_letters import dead_letter_sender
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import MetricUnit, metrics, observed, tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    dead_letter_queue_url: str
    max_receive_count: int


# A call to send the dead letter, and if that fails for the last time, another one.
LONGEST_RECORD_SECONDS = 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Send the messages of a batch to the dead-letter queue, each with its cause.

    That is this function's work. It fails where a message cannot be sent there.
    """
    return process_batch(
        event["Records"],
        set_aside,
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_RECORD_SECONDS * 1_000,
    )


@tracer.capture_method(capture_response=False)
def set_aside(record: dict[str, Any]) -> None:
    """Send one message to the dead-letter queue."""
    given = attribute_of(record, "type")
    kind = f"the type {given}" if given else "a message without a type"
    send_dead_letter(record, f"no subscription wants {kind}")
    metrics.add_metric("MessagesUnrouted", MetricUnit.Count, 1)
