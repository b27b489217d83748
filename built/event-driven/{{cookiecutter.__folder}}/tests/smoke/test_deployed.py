"""One upload through the deployed stack, with a key that only AWS itself can encode wrongly."""

import time
import uuid

import boto3

# Longer than QueueVisibilitySeconds, after which SQS delivers a failed message again.
LONGEST_SECONDS = 300


def test_upload_is_notified(outputs: dict[str, str], region: str) -> None:
    key = f"smoke-test/{uuid.uuid4().hex} +%41é.csv"
    s3, logs = boto3.client("s3", region_name=region), boto3.client("logs", region_name=region)

    s3.put_object(Bucket=outputs["UploadsBucket"], Key=key, Body=b"smoke,1\n")

    deadline = time.monotonic() + LONGEST_SECONDS
    while not logs.filter_log_events(
        logGroupName=outputs["NotifyLogGroup"],
        filterPattern=f'{{ "{{" }} $.message = "notified" && $.object_key = "{key}" }}',
    )["events"]:
        assert time.monotonic() < deadline, f"{key} was not notified within five minutes"
        time.sleep(2)
