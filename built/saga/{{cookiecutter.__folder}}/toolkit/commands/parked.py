"""Lists the parked cases, each with the step that failed, and resumes them."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3

from toolkit.messages import HOLD, delete, hidden, messages_in
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions import SFNClient

Case = dict[str, Any]
Wanted = Callable[[Case], bool]
# Cases per second, unless --rate is given: after an outage, what a step calls may be overloaded.
RATE = 10.0


@errors_in_one_line
def main() -> None:
    """Entry point of `make parked` and `make resume`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "resume"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--key", help="the case to resume: its key from the list, or its id")
    which.add_argument("--step", help="resume all cases that are parked with this step")
    which.add_argument("--all", action="store_true", help="resume all cases")
    parser.add_argument("--rate", type=float, default=RATE, help="cases per second (%(default)s)")
    parser.add_argument(
        "--done-by-hand",
        action="store_true",
        help="the step was done manually: continue with the rest",
    )
    arguments = parser.parse_args()
    one = bool(arguments.key)
    if arguments.command == "resume" and not (one or arguments.step or arguments.all):
        parser.error("which? make resume KEY=key, STEP=name or ALL=1")
    if arguments.done_by_hand and not one:
        parser.error("--done-by-hand is for one case: make resume KEY=key DONE_BY_HAND=1")
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
        wanted = of_key(arguments.key)
        check_is_one(sqs, queue, arguments.key)
    elif arguments.step:
        wanted = of_step(arguments.step)
    resumed = resume(
        sqs, stepfunctions, queue, wanted, by_hand=arguments.done_by_hand, rate=arguments.rate
    )
    print(f"{resumed} resumed")


def show(sqs: "SQSClient", queue: str) -> int:
    """Print every parked case, and leave it where it is. Returns their number."""
    with messages_in(sqs, queue) as messages:
        cases = [json.loads(message["Body"]) for message in messages]
    for case in cases:
        print(key_of(case))
        print(f"  step:      {case['step']}\n  cause:     {case['error']}: {case['cause'][:500]}")
        print(f"  input:     {json.dumps(case['input'])}\n  execution: {case['execution']}")
    return len(cases)


def key_of(case: Case) -> str:
    """The key of a case: the name of its execution."""
    return str(case["execution"]).rpartition(":")[2]


def check_is_one(sqs: "SQSClient", queue: str, key: str) -> None:
    """Check that a key or id names exactly one parked case.

    Raises:
        SystemExit: it names none, or is an id that several callers use.
    """
    found = {key_of(json.loads(message["Body"])) for message in _look(sqs, queue, of_key(key))}
    if not found:
        held = hidden(sqs, queue)
        hint = f"; {held} are held by another command, try again" if held else ""
        sys.exit(f"{key} is not parked{hint}")
    if len(found) > 1:
        sys.exit(f"Several callers use the id {key}. Name one key: {', '.join(sorted(found))}")


def everyone(_: Case) -> bool:
    """All parked cases."""
    return True


def of_step(step: str) -> Wanted:
    """The cases that are parked with a step."""
    return lambda case: bool(case["step"] == step)


def of_key(key: str) -> Wanted:
    """The case with a key, or all with an id: a key is an id, a hyphen and a hash of the caller."""
    return lambda case: key in (key_of(case), key_of(case).rpartition("-")[0])


def resume(
    sqs: "SQSClient",
    stepfunctions: "SFNClient",
    queue: str,
    wanted: Wanted,
    *,
    by_hand: bool = False,
    rate: float = RATE,
) -> int:
    """Resume all wanted cases. Returns their number.

    Each retries the step that failed, or treats it as done `by_hand`, and continues
    with the rest. If a step fails again, its case is parked again, and stays parked.

    Messages are hidden from others only while they are listed: the token in a message resumes its
    case. Several operators can do this at the same time, because a token accepts one answer.
    """
    answered: set[str] = set()
    resumed = 0
    for message in _look(sqs, queue, wanted):
        case = json.loads(message["Body"])
        # Answered first, deleted second: after an interruption in between, the message stays,
        # and its token is no longer valid.
        if _tell(stepfunctions, case, by_hand=by_hand):
            resumed += 1
            print(f"{key_of(case)} {case['step']}", flush=True)
            time.sleep(1 / rate)
        delete(sqs, queue, message)
        answered.add(case["task_token"])
    if answered:
        # SQS deletes by the latest receipt only: others may have listed some messages since.
        for message in _look(sqs, queue, lambda case: case["task_token"] in answered):
            delete(sqs, queue, message)
    return resumed


def _look(sqs: "SQSClient", queue: str, wanted: Wanted) -> list["MessageTypeDef"]:
    """The messages of wanted cases, visible again to other readers."""
    with messages_in(sqs, queue) as messages:
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
