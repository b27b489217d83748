"""Replays events of the archive, and publishes again what is left in the outbox."""

import argparse
import re
import sys
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3

from toolkit.messages import delete, messages_in
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient


@errors_in_one_line
def main() -> None:
    """Entry point of `make replay` and `make republish`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["replay", "republish"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--from", dest="start", help="UTC, such as 2026-01-01T02:00:00Z")
    parser.add_argument("--to", dest="end", help="UTC, such as 2026-01-01T03:00:00Z")
    parser.add_argument("--rule", help="the consumer whose rule gets the events, such as Notify")
    arguments = parser.parse_args()
    outputs, region = outputs_of(arguments.env), region_of(arguments.env)
    if arguments.command == "republish":
        sqs = boto3.client("sqs", region_name=region)
        dynamodb = boto3.client("dynamodb", region_name=region)
        failures = outputs["PublishFailuresUrl"]
        print(f"{republish(dynamodb, outputs['OutboxTable'], sqs, failures)} are published again")
        return
    if "ArchiveArn" not in outputs:
        sys.exit(f"{arguments.env} has no archive: set ArchiveDays in samconfig.toml")
    given = (arguments.start, arguments.end, arguments.rule)
    start, end, rule = checked(*given, datetime.now(UTC))
    bus = outputs["EventBusArn"]
    arn = rule_arn(bus, outputs["EventBus"].removesuffix("-Events"), rule)
    events = boto3.client("events", region_name=region)
    name = replay(events, outputs["ArchiveArn"], bus, arn, start, end)
    print(f"Started. To watch: aws events describe-replay --replay-name {name}")


def checked(
    start: str | None, end: str | None, rule: str | None, now: datetime
) -> tuple[datetime, datetime, str]:
    """The times and the rule of a replay.

    Raises:
        SystemExit: one is missing or invalid.
    """
    times = []
    for name, text in (("FROM", start), ("TO", end)):
        try:
            times.append(datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC))
        except ValueError:
            sys.exit(f"{name} must be a time in UTC such as 2026-01-01T02:00:00Z, not {text!r}")
    first, last = times
    if not first < last <= now:
        sys.exit("FROM must be before TO, and TO not in the future")
    if not re.fullmatch(r"[A-Za-z]\w*", rule or ""):
        sys.exit(f"RULE must be the name of a consumer such as Notify, not {rule!r}")
    return first, last, str(rule)


def rule_arn(bus_arn: str, stack: str, rule: str) -> str:
    """The ARN of a consumer's rule on the stack's own bus."""
    return f"{bus_arn.replace(':event-bus/', ':rule/')}/{stack}-{rule}"


def replay(
    events: "EventBridgeClient",
    archive: str,
    bus: str,
    rule: str,
    start: datetime,
    end: datetime,
) -> str:
    """Start a replay for one rule: other consumers see nothing of it. Returns its name."""
    *_, bus_name, rule_name = rule.split("/")
    events.describe_rule(Name=rule_name, EventBusName=bus_name)  # It has to be there.
    name = f"{rule_name[:40]}-{uuid.uuid4().hex[:8]}"
    events.start_replay(
        ReplayName=name,
        EventSourceArn=archive,
        EventStartTime=start,
        EventEndTime=end,
        Destination={"Arn": bus, "FilterArns": [rule]},
    )
    return name


def republish(dynamodb: "DynamoDBClient", outbox: str, sqs: "SQSClient", failures: str) -> int:
    """Touch each event in the outbox, so that its stream brings it again. Returns their number.

    The reports that were there before are deleted: what fails again is reported again.
    """
    now = datetime.now(UTC).isoformat()
    with messages_in(sqs, failures) as reports:
        touched = 0
        for page in dynamodb.get_paginator("scan").paginate(TableName=outbox, ConsistentRead=True):
            for item in page["Items"]:
                try:
                    dynamodb.update_item(
                        TableName=outbox,
                        Key={"event_id": item["event_id"]},
                        UpdateExpression="SET republished_at = :now",
                        ConditionExpression="attribute_exists(event_id)",
                        ExpressionAttributeValues={":now": {"S": now}},
                    )
                except dynamodb.exceptions.ConditionalCheckFailedException:
                    continue  # It was published meanwhile.
                touched += 1
        for report in reports:
            delete(sqs, failures, report)
    return touched
