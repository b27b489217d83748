"""PutRecords takes some records and refuses others: those alone are sent again."""

from typing import Any

import boto3
import pytest

from toolkit.runtime.put_records import (
    ATTEMPTS,
    MOST_BYTES,
    MOST_RECORDS,
    RecordsRefusedError,
    put_records,
)
from toolkit.testing import AwsAnswers

DONE = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
REFUSED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}


def entries(count: int, size: int = 1) -> list[Any]:
    return [{"PartitionKey": f"key-{n}", "Data": b"a" * size} for n in range(count)]


def put(given: list[Any]) -> None:
    kinesis = boto3.client("kinesis", region_name="eu-west-1")
    put_records(kinesis, "stream", given, sleep=lambda _: None)


def test_only_refused_records_are_sent_again(aws_answers: AwsAnswers) -> None:
    given = entries(3)
    asked = aws_answers(
        {"PutRecords": [{"Records": [REFUSED, DONE, REFUSED]}, {"Records": [DONE, DONE]}]}
    )

    put(given)

    assert [parameters["Records"] for _, parameters in asked] == [given, [given[0], given[2]]]


def test_what_is_refused_each_time_is_named(aws_answers: AwsAnswers) -> None:
    given = entries(1)
    asked = aws_answers({"PutRecords": [{"Records": [REFUSED]}]})

    with pytest.raises(RecordsRefusedError, match="1 records were not taken: Provisioned") as found:
        put(given)

    assert found.value.entries == given
    assert len(asked) == ATTEMPTS


@pytest.mark.parametrize(
    ("count", "size", "requests"),
    [(0, 1, []), (MOST_RECORDS + 1, 1, [MOST_RECORDS, 1]), (3, MOST_BYTES // 2 - 10, [2, 1])],
)
def test_no_request_is_larger_than_kinesis_takes(
    count: int, size: int, requests: list[int]
) -> None:
    asked = []

    class Kinesis:
        def put_records(self, Records: list[Any], **_: str) -> Any:  # noqa: N803
            asked.append(len(Records))
            return {"Records": [DONE] * len(Records)}

    put_records(Kinesis(), "stream", entries(count, size))  # type: ignore[arg-type]

    assert asked == requests
