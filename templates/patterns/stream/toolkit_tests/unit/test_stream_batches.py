"""The local AWS does with batches of a stream what AWS documents; its examples are the tests."""

from typing import Any

import pytest

from toolkit.local_aws.stream_batches import (
    RECORD_AGE,
    RETRIES,
    Batch,
    Next,
    Settings,
    after,
    invocation_record,
    object_key,
    too_old,
)

SETTINGS = Settings(retries=2, oldest_seconds=60, bisects=True, reports_failures=True)


def record(number: int, arrived: float = 0) -> dict[str, Any]:
    return {
        "eventID": f"shardId-000000000001:{number}",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
        "kinesis": {"sequenceNumber": str(number), "approximateArrivalTimestamp": arrived},
    }


def batch(*numbers: int, attempts: int = 0) -> Batch:
    return Batch([record(number) for number in numbers], attempts)


def failures(*numbers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


# services-kinesis-batchfailurereporting, "Success and failure conditions"
@pytest.mark.parametrize("response", [failures(), {"batchItemFailures": None}, {}, None, ""])
def test_complete_success(response: Any) -> None:
    assert after(batch(1, 2), SETTINGS, "", response) == Next()


@pytest.mark.parametrize(
    "response",
    [failures(""), failures(None), {"batchItemFailures": [{"wrong": "1"}]}, failures("9")],
)
def test_complete_failure(response: Any) -> None:
    assert after(batch(1, 2), SETTINGS, "", response) == Next((batch(1, 2, attempts=1),))


def test_lowest_number_is_the_checkpoint_and_all_after_it_are_retried() -> None:
    assert after(batch(1, 2, 3, 4), SETTINGS, "", failures("4", "2")) == Next((batch(2, 3, 4),))


def test_response_counts_only_where_the_mapping_says_so() -> None:
    settings = Settings(retries=2, reports_failures=False)

    assert after(batch(1, 2), settings, "", failures("2")) == Next()


# kinesis-on-failure-destination: "Splitting batches doesn't consume the retry quota."
def test_failed_batch_is_split_without_using_a_retry() -> None:
    expected = Next((batch(1, attempts=1), batch(2, 3, attempts=1)))

    assert after(batch(1, 2, 3, attempts=1), SETTINGS, "Unhandled", None) == expected


def test_single_record_is_retried_until_the_quota_is_used_up() -> None:
    first = after(batch(1), SETTINGS, "Unhandled", None)
    second = after(first.batches[0], SETTINGS, "Unhandled", None)
    third = after(second.batches[0], SETTINGS, "Unhandled", None)

    assert [first, second] == [Next((batch(1, attempts=n),)) for n in (1, 2)]
    assert third == Next((), batch(1, attempts=3), RETRIES, crashed=True)


def test_record_after_the_checkpoint_is_retried_as_often_as_any() -> None:
    """As AWS did it with three retries: the last of three records was invoked five times."""
    settings = Settings(retries=3, reports_failures=True)
    found = after(batch(3, 4, 5), settings, "", failures("5"))
    times = 1
    while found.batches:
        found = after(found.batches[0], settings, "", failures("5"))
        times += 1

    assert times == 5
    assert found == Next((), batch(5, attempts=4), RETRIES)


def test_without_bisecting_the_whole_batch_is_given_up() -> None:
    settings = Settings(retries=0)

    assert after(batch(1, 2), settings, "Unhandled", None).given_up == batch(1, 2, attempts=1)


def test_default_is_endless() -> None:
    assert after(batch(1, attempts=9_999), Settings(), "x", None) == Next(
        (batch(1, attempts=10_000),)
    )
    assert too_old(batch(1), Settings(), now=1e9) is None


def test_records_that_are_too_old_are_given_up_and_the_others_stay() -> None:
    mixed = Batch([record(1, 0), record(2, 50)])

    found = too_old(mixed, SETTINGS, now=70)

    assert found == Next((Batch([record(2, 50)]),), Batch([record(1, 0)]), RECORD_AGE)


def test_settings_are_read_from_a_template_too() -> None:
    mapping = {
        "MaximumRetryAttempts": "2",
        "MaximumRecordAgeInSeconds": 60,
        "BisectBatchOnFunctionError": "true",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }

    assert Settings.of(mapping) == SETTINGS
    assert Settings.of({}) == Settings()


def document(given: Batch, condition: str, *, crashed: bool = False) -> dict[str, Any]:
    return invocation_record(
        given,
        Next((), given, condition, crashed),
        "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
        "$LATEST",
        1573691886.021,
        "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
    )


def test_metadata_is_as_in_awss_example() -> None:
    """kinesis-on-failure-destination; without the payload, which only S3 gets."""
    given = Batch([record(1, 1573691884.835), record(2, 1573691885.58)], 1)

    assert document(given, RETRIES, crashed=True) == {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "1",
            "endSequenceNumber": "2",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
            "batchSize": 2,
            "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
        },
    }


def test_metadata_differs_by_what_ended_the_retries() -> None:
    """As AWS answered: a partial batch response is no error, and an old record has no response."""
    named, old = document(batch(1, attempts=3), RETRIES), document(batch(1), RECORD_AGE)

    assert named["responseContext"]["functionError"] is None
    assert "responseContext" not in old
    assert old["requestContext"]["condition"] == "RecordAgeExceeded"
    assert old["requestContext"]["approximateInvokeCount"] == 1


def test_object_is_named_as_aws_documents() -> None:
    assert object_key("uuid", "shardId-000000000001", 1573691886.021, "random") == (
        "aws/lambda/uuid/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-random"
    )
