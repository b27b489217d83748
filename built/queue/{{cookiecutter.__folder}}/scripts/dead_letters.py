"""Shows what stands in a stack's dead-letter queues and why, and sends it back for another try."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3

from scripts.stacks import outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Outputs of template.yaml come in pairs: QueueUrl and DeadLetterQueueUrl, or with the same prefix.
_SUFFIX = "DeadLetterQueueUrl"
# Seconds that a message stays invisible while it is looked at or moved.
_HOLD = 30


def main() -> None:
    """Entry point of `make dead-letters` and `make redrive`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "redrive"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    arguments = parser.parse_args()
    outputs = outputs_of(arguments.env)
    sqs = boto3.client("sqs", region_name=region_of(arguments.env))
    for name in sorted(outputs):
        if name.endswith(_SUFFIX):
            dead_letters, queue = outputs[name], outputs[name.removesuffix(_SUFFIX) + "QueueUrl"]
            if arguments.command == "list":
                show(sqs, dead_letters)
            else:
                print(f"{redrive(sqs, dead_letters, queue)} messages sent back to {queue}")


def show(sqs: "SQSClient", dead_letters: str) -> int:
    """Print every message with its cause, and leave it where it is. Returns their number."""
    shown = 0
    for message in _receive(sqs, dead_letters):
        shown += 1
        cause = message.get("MessageAttributes", {}).get("cause")
        reason = cause["StringValue"] if cause else "the function died or timed out: see its log"
        print(message["MessageId"])
        print(f"  cause: {reason}\n  body:  {message['Body'][:500]}")
    print(f"{shown} in {dead_letters}")
    return shown


def redrive(sqs: "SQSClient", dead_letters: str, queue: str) -> int:
    """Send every message back to its queue. Returns their number.

    A message is sent before it is deleted. Cut off in between, it is in both queues, and the
    consumer does it once.
    """
    moved = 0
    for message in _receive(sqs, dead_letters):
        sqs.send_message(
            QueueUrl=queue,
            MessageBody=message["Body"],
            MessageAttributes=_without_cause(message),
        )
        sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def _receive(sqs: "SQSClient", url: str) -> Iterator["MessageTypeDef"]:
    """Each message of a queue once: what was received stays invisible for a while."""
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HOLD,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
    ).get("Messages"):
        yield from messages


def _without_cause(message: "MessageTypeDef") -> dict[str, Any]:
    # SQS gives values that it does not take back, such as empty lists.
    return {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
        if name != "cause" and "StringValue" in value
    }


if __name__ == "__main__":
    main()
