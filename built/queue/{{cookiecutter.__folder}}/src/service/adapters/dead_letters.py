"""Sends a message to the dead-letter queue together with the reason."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

# An attribute counts towards the size of its message; a cause is for people to read.
_LONGEST_CAUSE = 1_000


def dead_letter_sender(
    sqs: "SQSClient", dead_letter_queue_url: str
) -> Callable[[dict[str, Any], str], None]:
    """A function that sets a record aside: same body and attributes, and its cause beside them."""

    def set_aside(record: dict[str, Any], cause: str) -> None:
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": given["stringValue"]}
            for name, given in record.get("messageAttributes", {}).items()
            if "stringValue" in given
        }
        attributes["cause"] = {
            "DataType": "String",
            "StringValue": _characters_sqs_allows(cause)[:_LONGEST_CAUSE],
        }
        sqs.send_message(
            QueueUrl=dead_letter_queue_url,
            MessageBody=record["body"],
            MessageAttributes=attributes,
        )

    return set_aside


def _characters_sqs_allows(text: str) -> str:
    """Anything unprintable becomes a question mark: SQS refuses most control characters."""
    return "".join(c if c.isprintable() else "?" for c in text) or "unknown"
