"""Lists the messages of a queue, makes them visible again, and waits for a queue to be empty."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Seconds that a message stays invisible to others while it is listed. They are released as soon
# as the list is complete; this is for a command that crashes.
HOLD = 20
# After this many batches without a new message, the list is complete.
_REPEATS = 5


@contextmanager
def messages_in(sqs: "SQSClient", url: str) -> Iterator[list["MessageTypeDef"]]:
    """Each message of a queue, once; messages that are not deleted are released at the end."""
    there = visible(sqs, url)
    held: dict[str, MessageTypeDef] = {}
    # Messages that are hidden for a shorter time than this takes come again.
    repeats = 0
    try:
        while len(held) < there and repeats < _REPEATS and (batch := receive(sqs, url)):
            new = {message["MessageId"]: message for message in batch}
            repeats = 0 if new.keys() - held.keys() else repeats + 1
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
    """Delete a message, if it still exists and nobody else received it since."""
    # In a batch, it is no error otherwise.
    sqs.delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    )


def visible(sqs: "SQSClient", url: str) -> int:
    """The approximate number of messages that wait in a queue."""
    return int(_attribute(sqs, url, "ApproximateNumberOfMessages"))


def hidden(sqs: "SQSClient", url: str) -> int:
    """The approximate number of messages that are received and not yet released."""
    return int(_attribute(sqs, url, "ApproximateNumberOfMessagesNotVisible"))


def waiting(sqs: "SQSClient", url: str) -> int:
    """The approximate number of messages in a queue, those at work and delayed ones included."""
    counts = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]
    return sum(map(int, counts.values()))


def wait_until_empty(sqs: "SQSClient", url: str) -> None:
    """Until no message waits or is at work.

    Raises:
        TimeoutError: there still is one after a minute.
    """
    deadline = time.monotonic() + 60
    while waiting(sqs, url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} is not empty after a minute")
        time.sleep(0.1)


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
