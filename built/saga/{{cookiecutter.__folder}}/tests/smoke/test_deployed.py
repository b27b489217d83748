"""One order through the deployed stack, which is cancelled: nothing is sold, paid or shipped."""

import json
import time
import uuid

import boto3

from toolkit.signed_request import call


def test_smoke_test_order_is_accepted_and_cancelled(outputs: dict[str, str], region: str) -> None:
    order_id = f"smoke-{uuid.uuid4().hex}"
    order = {"order_id": order_id, "sku": "smoke-test", "quantity": 1, "amount": 1, "country": "DE"}

    answer = call(
        "POST", outputs["OrdersUrl"], json.dumps(order), session=boto3.Session(region_name=region)
    )

    assert answer.status == 202, answer.body
    stepfunctions = boto3.client("stepfunctions", region_name=region)
    machine = outputs["Workflow"].replace(":stateMachine:", ":execution:")
    arn = f"{machine}:{answer.json['order_key']}"
    deadline = time.monotonic() + 120
    while (execution := stepfunctions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, f"{order_id} has not ended within two minutes"
        time.sleep(2)
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"]) == {"status": "cancelled", "reason": "OutOfStockError"}


def test_unsigned_request_gets_403(outputs: dict[str, str]) -> None:
    assert call("POST", outputs["OrdersUrl"], "{}").status == 403
