"""A forged delivery to the deployed stack: it is refused, and logged."""

import time
import uuid

import boto3

from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign
from toolkit.signed_request import call

# Longer than a log line takes to be found.
LONGEST_SECONDS = 120


def test_forged_delivery_is_refused_and_logged(outputs: dict[str, str], region: str) -> None:
    correlation = f"smoke-{uuid.uuid4().hex}"
    headers = sign(scheme_of_template(), LOCAL_VALUE, correlation, b"{}", int(time.time()))

    answer = call(
        "POST", outputs["WebhooksUrl"], "{}", headers={**headers, "X-Correlation-Id": correlation}
    )

    # 503: `make secret` was not run yet.
    assert answer.status in (401, 503), answer.body
    logs = boto3.client("logs", region_name=region)
    reason = "refused" if answer.status == 401 else "no usable secret"
    deadline = time.monotonic() + LONGEST_SECONDS
    while not logs.filter_log_events(
        logGroupName=outputs["ReceiveLogGroup"],
        filterPattern=f'{{ "{{" }} $.message = "{reason}" && $.correlation_id = "{correlation}" }}',
    )["events"]:
        assert time.monotonic() < deadline, f"{correlation} was not logged within two minutes"
        time.sleep(2)


def test_unsigned_delivery_gets_401(outputs: dict[str, str]) -> None:
    assert call("POST", outputs["WebhooksUrl"], "{}").status == 401
