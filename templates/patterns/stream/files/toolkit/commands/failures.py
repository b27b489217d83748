"""Lists the records in a stack's failures bucket with their cause, replays or deletes them."""

import argparse
import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from toolkit.runtime.put_records import put_records
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Failure:
    """An object of the bucket: a record that was refused, or a batch that Lambda gave up."""

    key: str
    cause: str
    records: list[dict[str, Any]]  # as in the function's event


@errors_in_one_line
def main() -> None:
    """Entry point of `make failures`, `make replay-failures` and `make discard-failure`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "replay", "discard"])
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--key", help="one object only, as the list shows it")
    arguments = parser.parse_args()
    if arguments.command == "discard" and not arguments.key:
        parser.error("--key is needed: make discard-failure KEY=key")
    outputs, region = outputs_of(arguments.env), region_of(arguments.env)
    bucket, stream = outputs["FailuresBucket"], outputs["StreamName"]
    s3 = boto3.client("s3", region_name=region)
    if arguments.command == "list":
        print(f"{show(s3, bucket)} in {bucket}")
        return
    if arguments.key and arguments.key not in keys_in(s3, bucket):
        sys.exit(f"{arguments.key} is not in {bucket}: `make failures` lists what is")
    if arguments.command == "discard":
        s3.delete_object(Bucket=bucket, Key=arguments.key)
        return
    kinesis = boto3.client("kinesis", region_name=region)
    print(f"{replay(s3, kinesis, bucket, stream, arguments.key)} put back on {stream}")


def show(s3: "S3Client", bucket: str) -> int:
    """Print every record with its cause, and leave it where it is. Returns their number."""
    count = 0
    for failure in failures_in(s3, bucket):
        print(f"{failure.key}\n  cause: {failure.cause}")
        for record in failure.records:
            data = base64.b64decode(record["kinesis"]["data"])
            print(f"  {record['kinesis']['sequenceNumber']}: {data[:500].decode(errors='replace')}")
        count += len(failure.records)
    return count


def replay(
    s3: "S3Client", kinesis: "KinesisClient", bucket: str, stream: str, key: str | None = None
) -> int:
    """Put the records that are there now back on the stream, each under its own partition key.

    An object is deleted when all its records are on the stream. If that fails in between, they are
    put again by the next replay; an event that was counted is not counted again.
    """
    count = 0
    for failure in list(failures_in(s3, bucket, key)):
        put_records(
            kinesis,
            stream,
            [
                {
                    "PartitionKey": record["kinesis"]["partitionKey"],
                    "Data": base64.b64decode(record["kinesis"]["data"]),
                }
                for record in failure.records
            ],
        )
        s3.delete_object(Bucket=bucket, Key=failure.key)
        count += len(failure.records)
    return count


def failures_in(s3: "S3Client", bucket: str, key: str | None = None) -> Iterator[Failure]:
    """What the bucket holds, or one object of it."""
    for found in [key] if key else keys_in(s3, bucket):
        document = json.loads(s3.get_object(Bucket=bucket, Key=found)["Body"].read())
        if "record" in document:
            yield Failure(found, document["cause"], [document["record"]])
        else:
            # kinesis-on-failure-destination.html: "payload" is the whole event, as text.
            payload = document["payload"]
            event = json.loads(payload) if isinstance(payload, str) else payload
            yield Failure(found, cause_of(document), event["Records"])


def keys_in(s3: "S3Client", bucket: str) -> list[str]:
    """The keys of all objects."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def cause_of(document: dict[str, Any]) -> str:
    """Why Lambda gave a batch up, and where to look."""
    context = document["requestContext"]
    return (
        f"{context['condition']} after {context['approximateInvokeCount']} invocations:"
        f" search the function's log for {document['KinesisBatchInfo']['startSequenceNumber']}"
    )
