"""Visits are put on the stream, each under its site."""

from datetime import UTC, datetime

import boto3

from service.adapters.visit_stream import VisitStream
from service.domain.visits import Visit, parse_visit
from toolkit.testing import AwsAnswers

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VISITS = [Visit(f"visit-{number}", f"site-{number % 2}", number, NOON) for number in range(4)]


def test_only_records_that_were_refused_are_sent_again_under_the_same_key(
    aws_answers: AwsAnswers,
) -> None:
    done = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
    refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
    asked = aws_answers(
        {
            "PutRecords": [
                {"FailedRecordCount": 2, "Records": [done, refused, done, refused]},
                {"Records": [done, done]},
            ]
        }
    )

    VisitStream(boto3.client("kinesis", region_name="eu-west-1"), "stream").put(VISITS)

    sent = [
        [(r["PartitionKey"], parse_visit(r["Data"].decode())) for r in parameters["Records"]]
        for _, parameters in asked
    ]
    everything = [(visit.site, visit) for visit in VISITS]
    assert sent == [everything, [everything[1], everything[3]]]
