"""Shows the orders that are parked with a step that could not be done, and lets them go on."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3

from toolkit.messages import HOLD, delete, hidden, looked_at
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions import SFNClient

Case = dict[str, Any]
Wanted = Callable[[Case], bool]
# Orders per second, if no other rate is given: what a step calls may just have been overrun.
RATE = 10.0


@errors_in_one_line
def main() -> None:
    """Entry point of `make parked` and `make resume`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "resume"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--order", help="key of the order to resume, as the list shows it; or its id"
    )
    which.add_argument("--step", help="resume all orders that are parked with this step")
    which.add_argument("--all", action="store_true", help="resume all orders that are parked")
    parser.add_argument("--rate", type=float, default=RATE, help="orders per second (%(default)s)")
    parser.add_argument(
        "--done-by-hand", action="store_true", help="the step was done by hand: go on with the rest"
    )
    arguments = parser.parse_args()
    one = bool(arguments.order)
    if arguments.command == "resume" and not (one or arguments.step or arguments.all):
        parser.error("which? make resume ORDER=key, STEP=name or ALL=1")
    if arguments.done_by_hand and not one:
        parser.error("--done-by-hand is for one order: make resume ORDER=key DONE_BY_HAND=1")
    if arguments.rate <= 0:
        parser.error("--rate must be above 0")
    queue = outputs_of(arguments.env)["ParkedQueueUrl"]
    region = region_of(arguments.env)
    sqs = boto3.client("sqs", region_name=region)
    if arguments.command == "list":
        print(f"{show(sqs, queue)} in {queue}")
        if held := hidden(sqs, queue):
            print(f"{held} more are held by another command, for at most {HOLD} seconds")
        return
    stepfunctions = boto3.client("stepfunctions", region_name=region)
    wanted: Wanted = everyone
    if one:
        wanted = of_order(arguments.order)
        check_is_one(sqs, queue, arguments.order)
    elif arguments.step:
        wanted = of_step(arguments.step)
    resumed = resume(
        sqs, stepfunctions, queue, wanted, by_hand=arguments.done_by_hand, rate=arguments.rate
    )
    print(f"{resumed} resumed")


def show(sqs: "SQSClient", queue: str) -> int:
    """Print every parked case, and leave it where it is. Returns their number."""
    with looked_at(sqs, queue) as messages:
        cases = [json.loads(message["Body"]) for message in messages]
    for case in cases:
        print(key_of(case))
        print(f"  step:      {case['step']}\n  cause:     {case['error']}: {case['cause'][:500]}")
        print(f"  order:     {json.dumps(case['order'])}\n  execution: {case['execution']}")
    return len(cases)


def key_of(case: Case) -> str:
    """The key of a case's order: its execution bears it as its name."""
    return str(case["execution"]).rpartition(":")[2]


def check_is_one(sqs: "SQSClient", queue: str, order: str) -> None:
    """See to it that an order's key or id stands for one parked order.

    Raises:
        SystemExit: it stands for none, or is the id of orders of several callers.
    """
    found = {key_of(json.loads(message["Body"])) for message in _look(sqs, queue, of_order(order))}
    if not found:
        held = hidden(sqs, queue)
        hint = f"; {held} are held by another command, try again" if held else ""
        sys.exit(f"{order} is not parked{hint}")
    if len(found) > 1:
        sys.exit(f"Several callers have an order {order}. Which? {', '.join(sorted(found))}")


def everyone(_: Case) -> bool:
    """All parked cases."""
    return True


def of_step(step: str) -> Wanted:
    """The cases that are parked with a step."""
    return lambda case: bool(case["step"] == step)


def of_order(order: str) -> Wanted:
    """The case of an order, by its key or its id."""
    return lambda case: order in (key_of(case), case["order"]["order_id"])


def resume(
    sqs: "SQSClient",
    stepfunctions: "SFNClient",
    queue: str,
    wanted: Wanted,
    *,
    by_hand: bool = False,
    rate: float = RATE,
) -> int:
    """Let the workflows of all wanted cases go on. Returns how many there were.

    Each tries the step again that could not be done, or takes it as done `by_hand`, and goes on
    with the rest. Should a step fail once more, the order is parked once more, and stays so.

    Messages are hidden from others only while they are looked at: a case is answered by the token
    in its message. Several operators may do this at a time, since a token is good for one answer.
    """
    answered: set[str] = set()
    resumed = 0
    for message in _look(sqs, queue, wanted):
        case = json.loads(message["Body"])
        # Told first and deleted second: cut off in between, the message stays, and its token is
        # no longer good for anything.
        if _tell(stepfunctions, case, by_hand=by_hand):
            resumed += 1
            print(f"{key_of(case)} {case['step']}", flush=True)
            time.sleep(1 / rate)
        delete(sqs, queue, message)
        answered.add(case["task_token"])
    if answered:
        # SQS deletes by the latest receipt only: some have been looked at by others since.
        for message in _look(sqs, queue, lambda case: case["task_token"] in answered):
            delete(sqs, queue, message)
    return resumed


def _look(sqs: "SQSClient", queue: str, wanted: Wanted) -> list["MessageTypeDef"]:
    """The messages of wanted cases, visible to everybody again."""
    with looked_at(sqs, queue) as messages:
        return [message for message in messages if wanted(json.loads(message["Body"]))]


def _tell(stepfunctions: "SFNClient", case: Case, *, by_hand: bool) -> bool:
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
