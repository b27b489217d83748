"""One event through the deployed stack, and what only AWS itself can show."""

import json
import time
import uuid
from datetime import UTC, datetime

import boto3

# Longer than StreamBatchWindowSeconds and a cold start.
LONGEST_SECONDS = 120


def test_event_is_counted(outputs: dict[str, str], region: str) -> None:
    event_id = f"smoke-{uuid.uuid4().hex}"
    event = {
        "event_id": event_id,
        "site": "smoke-test",
        "amount": 0,
        "happened_at": datetime.now(UTC).isoformat(),
    }

    boto3.client("kinesis", region_name=region).put_record(
        StreamName=outputs["StreamName"],
        PartitionKey="smoke-test",
        Data=json.dumps(event).encode(),
    )

    # The record that is written in one transaction with the total.
    dynamodb = boto3.client("dynamodb", region_name=region)
    deadline = time.monotonic() + LONGEST_SECONDS
    while "Item" not in dynamodb.get_item(
        TableName=outputs["IdempotencyTable"], Key={"id": {"S": event_id}}, ConsistentRead=True
    ):
        assert time.monotonic() < deadline, f"{event_id} was not counted within two minutes"
        time.sleep(2)
