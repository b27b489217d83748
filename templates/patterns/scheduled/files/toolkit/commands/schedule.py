"""Runs a schedule's work now, pauses and resumes the schedule, and lists when it fires."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.runs import RunMessage, parse_run
from toolkit.schedule_expressions import RATE, clock_changes, fire_times, skipped_times
from toolkit.stacks import errors_in_one_line, outputs_of, region_of
from toolkit.template import resources, the_one

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.literals import ScheduleStateType
    from mypy_boto3_sqs import SQSClient

# What GetSchedule answers and UpdateSchedule does not take.
_READ_ONLY = {"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"}


@errors_in_one_line
def main() -> None:
    """Entry point of `make run-now`, `make pause`, `make resume` and `make fire-times`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run-now", "pause", "resume", "times"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--at", help="scheduled time in UTC, such as 2026-01-01T02:00:00Z")
    arguments = parser.parse_args()
    now = datetime.now(UTC)
    if arguments.command == "times":
        print("\n".join(times(now)))
        return
    outputs, region = outputs_of(arguments.env), region_of(arguments.env)
    if arguments.command == "run-now":
        at = arguments.at or now.strftime("%Y-%m-%dT%H:%M:00Z")
        sqs = boto3.client("sqs", region_name=region)
        message_id = run_now(sqs, outputs["QueueUrl"], outputs["ScheduleArn"], at)
        print(f"Sent the run of {at}. Its log: filter correlation_id = {message_id!r}")
        return
    state: ScheduleStateType = "DISABLED" if arguments.command == "pause" else "ENABLED"
    scheduler = boto3.client("scheduler", region_name=region)
    before = set_state(scheduler, outputs["ScheduleArn"], state)
    print(f"The schedule was {before} and is {state}")


def run_now(sqs: "SQSClient", queue: str, schedule: str, at: str) -> str:
    """Send what the schedule sends at a time. Returns the message's id.

    Raises:
        SystemExit: the time is invalid.
    """
    body = RunMessage(schedule, at).to_json()
    try:
        parse_run(body)
    except InvalidFieldsError as error:
        sys.exit(f"AT: {error}")
    return sqs.send_message(QueueUrl=queue, MessageBody=body)["MessageId"]


def set_state(
    scheduler: "EventBridgeSchedulerClient", schedule: str, state: "ScheduleStateType"
) -> str:
    """Enable or disable a schedule, and change nothing else. Returns its state before.

    UpdateSchedule sets what it is not given to its default: so it is given everything.
    docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
    """
    _, group, name = schedule.rsplit("/", 2)
    found: Any = scheduler.get_schedule(GroupName=group, Name=name)
    whole = {key: value for key, value in found.items() if key not in _READ_ONLY and value}
    scheduler.update_schedule(**whole | {"State": state})
    return str(found["State"])


def times(now: datetime) -> list[str]:
    """The next times at which the schedule fires, and those around both clock changes."""
    schedule = the_one(resources("AWS::Scheduler::Schedule").values(), "a schedule")["Properties"]
    expression, zone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
    if RATE.fullmatch(expression):
        return [f"{expression} counts from when the schedule was made, in real time."]
    today = now.date()
    found = [("Next", today, 400, 5)]
    found += [(f"Clocks change on {day}", day, 2, 5) for day in clock_changes(zone, today, 366)]
    lines = [f"{expression} in {zone}"]
    for title, start, days, most in found:
        coming = [time for time in fire_times(expression, zone, start, days) if time > now]
        lines += ["", f"{title}:"]
        lines += [f"  {time:%Y-%m-%d %H:%M %Z}  {time.astimezone(UTC):%H:%M} UTC"
                  for time in coming[:most]]  # fmt: skip
        lines += [f"  {time:%Y-%m-%d %H:%M} does not exist, and is skipped"
                  for time in skipped_times(expression, zone, start, min(days, 2))]  # fmt: skip
    return lines
