"""One order through the deployed stack, and what only AWS itself can show."""

import json
import time
import uuid

import boto3

from toolkit.signed_request import call

# Longer than QueueVisibilitySeconds, after which SQS delivers a failed message again.
LONGEST_SECONDS = 300


def test_order_is_accepted_and_shipped(outputs: dict[str, str], region: str) -> None:
    order_id = f"smoke-{uuid.uuid4().hex}"
    body = json.dumps({"order_id": order_id, "sku": "smoke-test", "quantity": 1})

    answer = call("POST", outputs["OrdersUrl"], body, session=boto3.Session(region_name=region))

    assert answer.status == 202, answer.body
    logs = boto3.client("logs", region_name=region)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not logs.filter_log_events(
        logGroupName=outputs["ProcessLogGroup"],
        filterPattern=f'{{ $.message = "shipped" && $.order_id = "{order_id}" }}',
    )["events"]:
        assert time.monotonic() < deadline, f"{order_id} was not shipped within five minutes"
        time.sleep(2)


def test_unsigned_request_gets_403(outputs: dict[str, str]) -> None:
    assert call("POST", outputs["OrdersUrl"], "{}").status == 403
