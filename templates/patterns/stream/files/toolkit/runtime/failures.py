"""Keeps a record that can never succeed, with its payload and cause, until a person has seen it."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Where in the bucket. Lambda itself puts what it gives up under aws/lambda/.
PREFIX = "records/"


def failure_keeper(s3: "S3Client", bucket: str) -> Callable[[dict[str, Any], str], None]:
    """A function that keeps a record: one object per record, however often it is delivered."""

    @tracer.capture_method(capture_response=False)
    def keep_failure(record: dict[str, Any], cause: str) -> None:
        # "shardId-000000000000:" and the sequence number.
        shard, _, number = record["eventID"].partition(":")
        s3.put_object(
            Bucket=bucket,
            Key=f"{PREFIX}{shard}/{number}.json",
            Body=json.dumps({"cause": cause, "record": record}).encode(),
            ContentType="application/json",
        )

    return keep_failure
