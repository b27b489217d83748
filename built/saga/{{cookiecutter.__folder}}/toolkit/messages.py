"""Takes messages out of a queue for a look, and puts them back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Seconds that a message stays invisible to others while it is looked at. They are released as soon
# as the look is over; this is for a command that dies.
HOLD = 20
# So many batches of nothing but known messages are the end.
_IN_VAIN = 5


@contextmanager
def looked_at(sqs: "SQSClient", url: str) -> Iterator[list["MessageTypeDef"]]:
    """Each message that stands in a queue, once; what is not deleted is released at the end."""
    there = standing(sqs, url)
    held: dict[str, MessageTypeDef] = {}
    # What is looked at for longer than they are hidden comes again.
    in_vain = 0
    try:
        while len(held) < there and in_vain < _IN_VAIN and (batch := receive(sqs, url)):
            new = {message["MessageId"]: message for message in batch}
            in_vain = 0 if new.keys() - held.keys() else in_vain + 1
            held |= new
        yield list(held.values())
    finally:
        release(sqs, url, list(held.values()))


def release(sqs: "SQSClient", url: str, messages: list["MessageTypeDef"]) -> None:
    """Make messages visible to others again."""
    for start in range(0, len(messages), 10):
        # In a batch, one that was deleted meanwhile is no error.
        sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0}
                for place, m in enumerate(messages[start : start + 10])
            ],
        )


def delete(sqs: "SQSClient", url: str, message: "MessageTypeDef") -> None:
    """Delete a message, if it is still there and was received by nobody else since."""
    # In a batch, it is no error otherwise.
    sqs.delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    )


def standing(sqs: "SQSClient", url: str) -> int:
    """How many messages wait in a queue, about."""
    return int(_attribute(sqs, url, "ApproximateNumberOfMessages"))


def hidden(sqs: "SQSClient", url: str) -> int:
    """How many messages somebody has received and not yet released, about."""
    return int(_attribute(sqs, url, "ApproximateNumberOfMessagesNotVisible"))


def arn_of(sqs: "SQSClient", url: str) -> str:
    """The ARN of a queue."""
    return _attribute(sqs, url, "QueueArn")


def receive(sqs: "SQSClient", url: str) -> list["MessageTypeDef"]:
    """Some of the messages in a queue, hidden from others for a moment; none when it is empty."""
    return sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HOLD,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])


def _attribute(sqs: "SQSClient", url: str, name: "QueueAttributeNameType") -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
