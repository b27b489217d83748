"""Takes messages out of a queue for a look, and puts them back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Seconds that a message stays invisible to others while it is looked at or moved.
_HOLD = 60


@contextmanager
def looked_at(sqs: "SQSClient", url: str) -> Iterator[list["MessageTypeDef"]]:
    """Each message that stands in a queue, once; what is not deleted is released at the end."""
    there = standing(sqs, url)
    held: dict[str, MessageTypeDef] = {}
    try:
        while len(held) < there and (batch := receive(sqs, url, there - len(held))):
            held |= {message["MessageId"]: message for message in batch}
        yield list(held.values())
    finally:
        for message in held.values():
            # In a batch, one that was deleted meanwhile is no error.
            sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {
                        "Id": "0",
                        "ReceiptHandle": message["ReceiptHandle"],
                        "VisibilityTimeout": 0,
                    }
                ],
            )


def standing(sqs: "SQSClient", url: str) -> int:
    """How many messages wait in a queue, about."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def receive(sqs: "SQSClient", url: str, most: int) -> list["MessageTypeDef"]:
    """Some of the messages in a queue, hidden from others for a minute; none when it is empty."""
    return sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(most, 10),
        VisibilityTimeout=_HOLD,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
    ).get("Messages", [])
