"""`make demo`: sends visits through the stack on the local AWS, and shows what they add up to."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from toolkit.commands.failures import failures_in, show
from toolkit.local_aws.stack import Stack
from toolkit.runtime.put_records import put_records

POISON = b"this is no visit"


def run(stack: Stack) -> None:
    """Send, wait until each record is counted or kept, and print both ends."""
    kinesis, s3 = stack.aws.client("kinesis"), stack.aws.client("s3")
    stream = stack.outputs["StreamName"]
    now = datetime.now(UTC).replace(microsecond=0)
    records: list[Any] = []
    for event_id, site, amount, hours_ago in (
        ("visit-1", "shop", 5, 0),
        ("visit-2", "shop", 7, 0),
        ("visit-3", "blog", 0, 0),
        ("visit-4", "shop", 1, 6),
        ("visit-1", "shop", 5, 0),
    ):
        happened_at = (now - timedelta(hours=hours_ago)).isoformat()
        visit = {"event_id": event_id, "site": site, "amount": amount, "happened_at": happened_at}
        records.append({"PartitionKey": site, "Data": json.dumps(visit).encode()})
    records.append({"PartitionKey": "shop", "Data": POISON})

    print("\nPut on the stream, the first visit twice:")
    for record in records:
        print(f"  {record['Data'].decode()}")
    put_records(kinesis, stream, records)
    wait(stack, visits=4, failures=1)

    print("\nThe totals: each visit counts once, in the hour in which it happened:")
    items = stack.aws.client("dynamodb").scan(TableName=stack.outputs["TotalsTable"])["Items"]
    fields = ("site", "hour", "visits", "amount")
    rows = sorted([str(*item[field].values()) for field in fields] for item in items)
    for row in (fields, *rows):
        print("  " + "  ".join(f"{value:<13}" for value in row))
    print("\nThe failures bucket:")
    show(s3, stack.outputs["FailuresBucket"])


def wait(stack: Stack, visits: int, failures: int) -> None:
    """Until so many visits are counted, and so many records kept.

    Raises:
        TimeoutError: they are not after a minute.
    """
    dynamodb, s3 = stack.aws.client("dynamodb"), stack.aws.client("s3")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        items = dynamodb.scan(TableName=stack.outputs["TotalsTable"])["Items"]
        kept = list(failures_in(s3, stack.outputs["FailuresBucket"]))
        if sum(int(item["visits"]["N"]) for item in items) >= visits and len(kept) >= failures:
            return
        time.sleep(0.1)
    raise TimeoutError("the stream is not processed after a minute")


def example(stack: Stack) -> str:
    """A command to paste: it puts a visit on the stream."""
    return f"""\
Put a visit on the stream:

  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_CA_BUNDLE={stack.aws.ca} \\
    aws kinesis put-record --region {stack.aws.region} --endpoint-url {stack.aws.endpoint} \\
    --stream-name {stack.outputs["StreamName"]} --partition-key shop \\
    --cli-binary-format raw-in-base64-out --data \\
    '{{"event_id": "visit-1", "site": "shop", "amount": 2, "happened_at": "2026-01-01T12:00:00Z"}}'
"""
