"""Shows the orders that are parked with a step that could not be done, and lets them go on."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import boto3

from scripts.messages import looked_at
from scripts.stacks import outputs_of, region_of, told_in_words

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


def main() -> None:
    """Entry point of `make parked` and `make resume`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "resume"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--order", help="id of the order to resume, as the list shows it")
    parser.add_argument(
        "--done-by-hand", action="store_true", help="the step was done by hand: go on with the rest"
    )
    arguments = parser.parse_args()
    if arguments.command == "resume" and not arguments.order:
        parser.error("--order is needed: make resume ORDER=id")
    queue = outputs_of(arguments.env)["ParkedQueueUrl"]
    region = region_of(arguments.env)
    sqs = boto3.client("sqs", region_name=region)
    if arguments.command == "list":
        print(f"{show(sqs, queue)} in {queue}")
        return
    stepfunctions = boto3.client("stepfunctions", region_name=region)
    if not resume(sqs, stepfunctions, queue, arguments.order, by_hand=arguments.done_by_hand):
        sys.exit(f"{arguments.order} is not parked")


def show(sqs: "SQSClient", queue: str) -> int:
    """Print every parked case, and leave it where it is. Returns their number."""
    with looked_at(sqs, queue) as messages:
        cases = [json.loads(message["Body"]) for message in messages]
    for case in cases:
        print(case["order"]["order_id"])
        print(f"  step:      {case['step']}\n  cause:     {case['error']}: {case['cause'][:500]}")
        print(f"  order:     {json.dumps(case['order'])}\n  execution: {case['execution']}")
    return len(cases)


def resume(
    sqs: "SQSClient",
    stepfunctions: "SFNClient",
    queue: str,
    order_id: str,
    *,
    by_hand: bool = False,
) -> bool:
    """Let the workflow of an order go on; whether it was parked.

    It tries the step again that could not be done, or takes it as done `by_hand`, and goes on with
    the rest. Should the step fail once more, the order is parked once more.
    """
    found = False
    with looked_at(sqs, queue) as messages:
        for message in messages:
            case = json.loads(message["Body"])
            if case["order"]["order_id"] == order_id:
                # Told first and deleted second: cut off in between, the message stays, and its
                # token is no longer good for anything.
                found = _tell(stepfunctions, case, by_hand=by_hand) or found
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def _tell(stepfunctions: "SFNClient", case: dict[str, Any], *, by_hand: bool) -> bool:
    """Answer the workflow; whether it was still waiting for this answer."""
    token = case["task_token"]
    expired = (
        stepfunctions.exceptions.TaskDoesNotExist,
        stepfunctions.exceptions.TaskTimedOut,
    )
    try:
        if by_hand:
            stepfunctions.send_task_success(taskToken=token, output="{}")
        else:
            stepfunctions.send_task_failure(
                taskToken=token, error="TryAgainError", cause="resumed with `make resume`"
            )
    except expired:
        return False
    return True


if __name__ == "__main__":
    told_in_words(main)
