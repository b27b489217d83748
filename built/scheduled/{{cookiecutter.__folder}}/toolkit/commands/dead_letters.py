"""Lists the messages in a stack's dead-letter queue with their cause, redrives or deletes them."""

import argparse
import sys
import time
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from toolkit.messages import arn_of, delete, hidden, messages_in, visible
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef, MessageTypeDef

# Outputs of template.yaml come in pairs: QueueUrl and DeadLetterQueueUrl, or with the same prefix.
_SUFFIX = "DeadLetterQueueUrl"
# The attribute in which a worker says why; see toolkit/runtime/dead_letters.py.
_CAUSE = "dead_letter_cause"
# The one in which EventBridge and its Scheduler say why they could not deliver.
# docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
_ERROR = "ERROR_MESSAGE"
# With so many of its own, a message has no room for it.
_MOST_ATTRIBUTES = 10
# SQS moves no more messages than this in a second.
_FASTEST = 500
_REFUSED = ("AccessDenied", "AccessDeniedException")
_UNDER_WAY = ("RUNNING", "CANCELLING")
# What SQS says of a queue that gets what another service could not deliver. API reference of
# StartMessageMoveTask: "Non-SQS queue sources of dead-letter queues […] are not […] supported".
_NOT_OF_A_QUEUE = "configured as a Dead Letter"


@errors_in_one_line
def main() -> None:
    """Entry point of `make dead-letters`, `make redrive` and `make discard`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "redrive", "cancel", "discard"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--message", help="id of the message to discard, as the list shows it")
    parser.add_argument(
        "--rate",
        type=int,
        help=f"messages to redrive per second, 1 to {_FASTEST}; else SQS decides",
    )
    arguments = parser.parse_args()
    if arguments.command == "discard" and not arguments.message:
        parser.error("--message is needed: make discard MESSAGE=id")
    if arguments.rate is not None and not 1 <= arguments.rate <= _FASTEST:
        parser.error(f"--rate must be from 1 to {_FASTEST}")
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
            if held := hidden(sqs, dead_letters):
                print(f"{held} more are held for a moment: by another command, or a redrive")
        elif arguments.command == "redrive":
            print(f"{redrive(sqs, dead_letters, queue, arguments.rate)} sent back to {queue}")
        else:
            print(f"{cancel(sqs, dead_letters)} redrives of {dead_letters} cancelled")


def show(sqs: "SQSClient", dead_letters: str) -> int:
    """Print every message with its cause, and leave it where it is. Returns their number."""
    with messages_in(sqs, dead_letters) as messages:
        for message in messages:
            print(message["MessageId"])
            print(f"  cause: {cause_of(message)}\n  body:  {message['Body'][:500]}")
    return len(messages)


def cause_of(message: "MessageTypeDef") -> str:
    """Why a message is a dead letter, or where to look.

    What SQS moved by itself has no cause of its own. If it was redriven before, it still carries
    that of an earlier failure.
    """
    if "DeadLetterQueueSourceArn" in message.get("Attributes", {}):
        return "the function died or timed out: search its log for this id"
    attributes = message.get("MessageAttributes", {})
    if _CAUSE in attributes:
        return attributes[_CAUSE]["StringValue"]
    if _ERROR in attributes:
        return attributes[_ERROR]["StringValue"]
    if len(attributes) < _MOST_ATTRIBUTES:
        return "no function had it: it could not be delivered to the queue"
    return "in the function's log: search it for this id as dead_letter_id"


def redrive(
    sqs: "SQSClient", dead_letters: str, queue: str, rate: int | None = None, pause: float = 1
) -> int:
    """Let SQS move the messages that are there now back to their queue. Returns their number.

    SQS needs the queue's name: it does not know the source of a message that the worker itself
    sent to the dead-letter queue. What fails for good comes back while others are still moved, and
    would go round: so the task is cancelled once as many were moved as stood there, and when the
    command is interrupted.

    Raises:
        SystemExit: SQS gave up, or the command was interrupted; it says how far the task got.
    """
    source = arn_of(sqs, dead_letters)
    there = visible(sqs, dead_letters)
    if not there:
        return 0
    limit = {"MaxNumberOfMessagesPerSecond": rate} if rate else {}
    before = _latest_task(sqs, source)
    try:
        handle = sqs.start_message_move_task(
            SourceArn=source, DestinationArn=arn_of(sqs, queue), **limit
        )["TaskHandle"]
    except ClientError as error:
        if _NOT_OF_A_QUEUE not in str(error):
            raise
        return _move(sqs, dead_letters, queue, 1 / rate if rate else 0)
    try:
        print(f"SQS moves {there} messages. To stop: Ctrl-C or make redrive CANCEL=1", flush=True)
        while (task := _latest_task(sqs, source)) == before or task["Status"] in _UNDER_WAY:
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            if task != before and task["Status"] == "RUNNING" and moved >= there:
                _cancel(sqs, handle)
            time.sleep(pause)
    except KeyboardInterrupt:
        # Otherwise SQS would continue, without anyone watching its end.
        _cancel(sqs, handle)
        moved = _latest_task(sqs, source).get("ApproximateNumberOfMessagesMoved", 0)
        sys.exit(f"Cancelled: about {moved} of {there} were sent back. The others stay")
    if task["Status"] == "FAILED":
        sys.exit(f"SQS: {task.get('FailureReason', 'the redrive failed')}")
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    # SQS counts a little late.
    return max(moved, there) if task["Status"] == "COMPLETED" else moved


def _move(sqs: "SQSClient", dead_letters: str, queue: str, pause: float) -> int:
    """Send each body back and delete it: what another service could not deliver has no more."""
    with messages_in(sqs, dead_letters) as messages:
        for message in messages:
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
            delete(sqs, dead_letters, message)
            time.sleep(pause)
    return len(messages)


def cancel(sqs: "SQSClient", dead_letters: str) -> int:
    """Stop a redrive that is under way; what was moved stays moved. Returns how many there were."""
    task = _latest_task(sqs, arn_of(sqs, dead_letters))
    return int(task.get("Status") == "RUNNING" and _cancel(sqs, task["TaskHandle"]))


def discard(sqs: "SQSClient", dead_letters: str, message_id: str) -> bool:
    """Delete one message for good; whether it was there."""
    with messages_in(sqs, dead_letters) as messages:
        for message in messages:
            if message["MessageId"] == message_id:
                sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
                return True
    return False


def _latest_task(sqs: "SQSClient", source: str) -> "ListMessageMoveTasksResultEntryTypeDef":
    tasks = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1).get("Results", [])
    return tasks[0] if tasks else {}


def _cancel(sqs: "SQSClient", handle: str) -> bool:
    """Cancel a task; whether it was still running."""
    try:
        sqs.cancel_message_move_task(TaskHandle=handle)
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSED:
            raise
        return False  # It has ended meanwhile.
    return True
