"""The local AWS retries records of a table's stream as AWS documents it."""

import json
import subprocess
from typing import Any

import pytest

from toolkit.local_aws.stack import LOCAL_AWS_PYTHON
from toolkit.stacks import PROJECT

# Runs a function that fails for a record, and tells what it got and what was reported.
SEE = """
import json, sys, time
from toolkit.local_aws.gaps.table_stream_failures import process

case = json.load(sys.stdin)
created = time.time() - case["age"]
records = [
    {"dynamodb": {"SequenceNumber": str(n), "ApproximateCreationDateTime": created}}
    for n in range(1, case["records"] + 1)
]
got, reported = [], []

def run(batch):
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    got.append(numbers)
    failed = case["bad"] in numbers and got.count(numbers) <= case["times"]
    if case["how"] == "raises":
        return {"error": failed, "body": {}}
    answer = {"batchItemFailures": [{"itemIdentifier": case["named"]}] if failed else []}
    return {"body": json.dumps(answer)}

def report(batch, _, why):
    reported.append([[record["dynamodb"]["SequenceNumber"] for record in batch], why])

assert not process(records, run, case["mapping"], report)["error"]
print(json.dumps([got, reported]))
"""
PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
BISECT = {"BisectBatchOnFunctionError": True}
FOR_EVER = 1_000
EXHAUSTED = "RetryAttemptsExhausted"


def seen(mapping: dict[str, Any], how: str = "raises", **case: Any) -> tuple[Any, Any]:
    """What a function got that fails for record 3 of 4, and what was reported."""
    case = {"records": 4, "bad": "3", "named": "3", "times": FOR_EVER, "age": 0} | case
    done = subprocess.run(
        [LOCAL_AWS_PYTHON, "-c", SEE],
        cwd=PROJECT,
        input=json.dumps(case | {"mapping": mapping, "how": how}),
        encoding="utf-8",
        stdout=subprocess.PIPE,
        check=True,
    )
    got, reported = json.loads(done.stdout.splitlines()[-1])
    return got, reported


ALL = ["1", "2", "3", "4"]


def test_failed_batch_is_retried_as_often_as_the_mapping_says() -> None:
    assert seen({"MaximumRetryAttempts": 2}) == ([ALL] * 3, [[ALL, EXHAUSTED]])


def test_batch_that_works_again_is_reported_to_nobody() -> None:
    assert seen({"MaximumRetryAttempts": 2}, times=1) == ([ALL] * 2, [])


def test_halving_finds_the_record_and_does_not_count_as_a_retry() -> None:
    got, reported = seen(BISECT | {"MaximumRetryAttempts": 1})

    assert got == [ALL, ["1", "2"], ["3", "4"], ["3"], ["3"], ["4"]]
    assert reported == [[["3"], EXHAUSTED]]


def test_batch_goes_on_from_the_record_that_is_named() -> None:
    got, reported = seen(PARTIAL | {"MaximumRetryAttempts": 1}, "names")

    assert got == [
        ALL,
        ["3", "4"],
    ]
    assert reported == [[["3", "4"], EXHAUSTED]]


def test_with_halving_what_follows_the_named_record_goes_on() -> None:
    got, reported = seen(PARTIAL | BISECT | {"MaximumRetryAttempts": 1}, "names")

    assert got == [ALL, ["3", "4"], ["3"], ["4"]]
    assert reported == [[["3"], EXHAUSTED]]


@pytest.mark.parametrize("named", ["9", "", None])
def test_unknown_name_makes_all_of_the_batch_a_failure(named: str | None) -> None:
    got, reported = seen(PARTIAL | {"MaximumRetryAttempts": 1}, "names", named=named)

    assert (got, reported) == ([ALL, ALL], [[ALL, EXHAUSTED]])


def test_records_that_are_too_old_are_reported() -> None:
    got, reported = seen({"MaximumRecordAgeInSeconds": 60}, age=61)

    assert (got, reported) == ([ALL], [[ALL, "RecordAgeExceeded"]])
