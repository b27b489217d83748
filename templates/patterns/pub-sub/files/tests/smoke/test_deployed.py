"""One event through the deployed stack, and what only AWS itself can show."""

import json
import time
import uuid
from datetime import UTC, datetime

import boto3

from toolkit.signed_request import call

# Longer than QueueVisibilitySeconds, after which SQS delivers a failed message again.
LONGEST_SECONDS = 300


def test_event_is_accepted_and_tracked(outputs: dict[str, str], region: str) -> None:
    event_id = f"smoke-{uuid.uuid4().hex}"
    body = json.dumps(
        {
            "event_id": event_id,
            "type": "shipment.sent",
            "shipment_id": event_id,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
    )

    answer = call("POST", outputs["ShipmentsUrl"], body, session=boto3.Session(region_name=region))

    assert answer.status == 202, answer.body
    logs = boto3.client("logs", region_name=region)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not logs.filter_log_events(
        logGroupName=outputs["TrackLogGroup"],
        filterPattern=f'{{ $.message = "tracked" && $.event_id = "{event_id}" }}',
    )["events"]:
        assert time.monotonic() < deadline, f"{event_id} was not tracked within five minutes"
        time.sleep(2)


def test_unsigned_request_gets_403(outputs: dict[str, str]) -> None:
    assert call("POST", outputs["ShipmentsUrl"], "{}").status == 403
