"""A record that can never succeed is kept whole, under a name of its own."""

import json

import boto3

from toolkit.runtime.failures import failure_keeper
from toolkit.testing import AwsAnswers

RECORD = {"eventID": "shardId-000000000001:7", "kinesis": {"sequenceNumber": "7", "data": "AA=="}}


def test_record_is_kept_with_its_cause_under_its_shard_and_number(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PutObject": [{}]})

    failure_keeper(boto3.client("s3", region_name="eu-west-1"), "bucket")(RECORD, "bad")

    [(_, parameters)] = asked
    assert (parameters["Bucket"], parameters["Key"]) == (
        "bucket",
        "records/shardId-000000000001/7.json",
    )
    assert json.loads(parameters["Body"]) == {"cause": "bad", "record": RECORD}
