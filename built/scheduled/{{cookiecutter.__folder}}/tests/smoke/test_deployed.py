"""A one-time schedule through the deployed stack, and what only AWS itself can show."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import boto3

# Scheduler fires within a minute; a failed message is delivered again after QueueVisibilitySeconds.
LONGEST_SECONDS = 420


def test_schedule_starts_a_run(outputs: dict[str, str], region: str) -> None:
    """A schedule of its own, with the target of the real one: its first run has no effects."""
    scheduler = boto3.client("scheduler", region_name=region)
    _, group, name = outputs["ScheduleArn"].rsplit("/", 2)
    target = scheduler.get_schedule(GroupName=group, Name=name)["Target"]
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)

    scheduler.create_schedule(
        Name=f"smoke-{uuid.uuid4().hex}",
        GroupName=group,
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        ActionAfterCompletion="DELETE",
    )

    logs = boto3.client("logs", region_name=region)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not logs.filter_log_events(
        logGroupName=outputs["ProcessLogGroup"],
        filterPattern=f'{{ "{{" }} $.message = "run complete" && $.run = "{at:%Y-%m-%dT%H:%M:%SZ}" }}',
    )["events"]:
        assert time.monotonic() < deadline, f"the run of {at} was not complete in seven minutes"
        time.sleep(2)
