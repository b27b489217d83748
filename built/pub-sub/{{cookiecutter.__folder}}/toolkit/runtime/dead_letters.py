"""Sends a message to the dead-letter queue, with its cause."""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from toolkit.runtime.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

CAUSE = "dead_letter_cause"
# SQS allows no more with a message.
_MOST_ATTRIBUTES = 10
# An attribute counts towards the size of its message; a cause is for people to read.
_LONGEST_CAUSE = 1_000


def dead_letter_sender(
    sqs: "SQSClient", dead_letter_queue_url: str
) -> Callable[[dict[str, Any], str], None]:
    """A function that moves a record: same body and attributes, and its cause beside them.

    The cause replaces that of an earlier failure, which a redriven message still carries. A message
    with ten attributes of its own has no room for it; the cause is then in the log only, under the
    message's new id.
    """

    def send_dead_letter(record: dict[str, Any], cause: str) -> None:
        attributes = {
            name: _as_sent(given)
            for name, given in record.get("messageAttributes", {}).items()
            if name != CAUSE
        }
        if len(attributes) < _MOST_ATTRIBUTES:
            attributes[CAUSE] = {
                "DataType": "String",
                "StringValue": _characters_sqs_allows(cause)[:_LONGEST_CAUSE],
            }
        sent = sqs.send_message(
            QueueUrl=dead_letter_queue_url,
            MessageBody=record["body"],
            MessageAttributes=attributes,
            **_system_parameters(record),
        )
        # SQS gives it a new id. This line leads from one to the other.
        logger.info("sent to the dead-letter queue", dead_letter_id=sent["MessageId"], cause=cause)

    return send_dead_letter


def _as_sent(given: dict[str, Any]) -> "MessageAttributeValueTypeDef":
    """An attribute of a Lambda event as SendMessage takes it, of a type such as `Number.int`.

    docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    data_type: str = given["dataType"]
    if data_type.partition(".")[0] == "Binary":
        return {"DataType": data_type, "BinaryValue": base64.b64decode(given["binaryValue"])}
    return {"DataType": data_type, "StringValue": given["stringValue"]}


def _system_parameters(record: dict[str, Any]) -> dict[str, Any]:
    """The trace and the message group, which are not among the attributes."""
    attributes = record.get("attributes", {})
    parameters: dict[str, Any] = {}
    if trace := attributes.get("AWSTraceHeader"):
        header = {"DataType": "String", "StringValue": trace}
        parameters["MessageSystemAttributes"] = {"AWSTraceHeader": header}
    if group := attributes.get("MessageGroupId"):
        parameters["MessageGroupId"] = group
    if "MessageDeduplicationId" in attributes:
        # As SQS itself does when it moves a message to a FIFO dead-letter queue: two messages that
        # shared a deduplication id are kept apart.
        parameters["MessageDeduplicationId"] = record["messageId"]
    return parameters


def _characters_sqs_allows(text: str) -> str:
    """Anything unprintable becomes a question mark: SQS refuses most control characters."""
    return "".join(c if c.isprintable() else "?" for c in text) or "unknown"
