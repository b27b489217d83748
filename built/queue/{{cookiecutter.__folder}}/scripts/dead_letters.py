"""Shows what stands in a stack's dead-letter queues and why, tries it again, or throws it away."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

import boto3

from scripts.messages import looked_at, receive, standing
from scripts.stacks import outputs_of, region_of, told_in_words

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Outputs of template.yaml come in pairs: QueueUrl and DeadLetterQueueUrl, or with the same prefix.
_SUFFIX = "DeadLetterQueueUrl"


def main() -> None:
    """Entry point of `make dead-letters`, `make redrive` and `make discard`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "redrive", "discard"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--message", help="id of the message to discard, as the list shows it")
    arguments = parser.parse_args()
    if arguments.command == "discard" and not arguments.message:
        parser.error("--message is needed: make discard MESSAGE=id")
    outputs = outputs_of(arguments.env)
    sqs = boto3.client("sqs", region_name=region_of(arguments.env))
    pairs = [
        (url, outputs[name.removesuffix(_SUFFIX) + "QueueUrl"])
        for name, url in sorted(outputs.items())
        if name.endswith(_SUFFIX)
    ]
    if arguments.command == "discard":
        if not any(discard(sqs, dead_letters, arguments.message) for dead_letters, _ in pairs):
            sys.exit(f"{arguments.message} is in none of the dead-letter queues")
        return
    for dead_letters, queue in pairs:
        if arguments.command == "list":
            print(f"{show(sqs, dead_letters)} in {dead_letters}")
        else:
            print(f"{redrive(sqs, dead_letters, queue)} sent back to {queue}")


def show(sqs: "SQSClient", dead_letters: str) -> int:
    """Print every message with its cause, and leave it where it is. Returns their number."""
    with looked_at(sqs, dead_letters) as messages:
        for message in messages:
            cause = message.get("MessageAttributes", {}).get("cause")
            reason = (
                cause["StringValue"] if cause else "the function died or timed out: see its log"
            )
            print(message["MessageId"])
            print(f"  cause: {reason}\n  body:  {message['Body'][:500]}")
    return len(messages)


def redrive(sqs: "SQSClient", dead_letters: str, queue: str) -> int:
    """Send back as many messages as stand there now. Returns their number.

    No more than that: what fails for good comes back at once, and would go round for ever.
    A message is sent before it is deleted. Cut off in between, it is in both queues, and the
    consumer does it once.
    """
    there = standing(sqs, dead_letters)
    moved = 0
    while moved < there and (batch := receive(sqs, dead_letters, there - moved)):
        for message in batch:
            sqs.send_message(
                QueueUrl=queue,
                MessageBody=message["Body"],
                MessageAttributes=_without_cause(message),
            )
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def discard(sqs: "SQSClient", dead_letters: str, message_id: str) -> bool:
    """Delete one message for good; whether it was there."""
    with looked_at(sqs, dead_letters) as messages:
        for message in messages:
            if message["MessageId"] == message_id:
                sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
                return True
    return False


def _without_cause(message: "MessageTypeDef") -> dict[str, Any]:
    # SQS gives values that it does not take back, such as empty lists.
    return {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
        if name != "cause" and "StringValue" in value
    }


if __name__ == "__main__":
    told_in_words(main)
