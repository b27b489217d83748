"""Gap: ministack retries a failed batch of a table's stream for ever, and as a whole.

Closed, without the waits in between: a batch is halved if the mapping says so, or goes on from the
lowest record that its function named; it is retried as often as MaximumRetryAttempts says (halving
does not count), and then reported to the destination for failures, and skipped.
docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html and
docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import inspect
import json
import time
from typing import Any

from ministack.services import lambda_svc

Records = list[dict[str, Any]]
FOREVER = -1


def is_needed() -> bool:
    return "BisectBatchOnFunctionError" not in inspect.getsource(lambda_svc._poll_dynamodb_streams)


def close() -> None:
    execute = lambda_svc._execute_function

    def execute_as_the_mapping_says(function: Any, event: Any, *rest: Any, **more: Any) -> Any:
        mapping = mapping_of(function, event)
        if not mapping:
            return execute(function, event, *rest, **more)
        return process(
            event["Records"],
            lambda records: execute(function, {"Records": records}, *rest, **more),
            mapping,
            lambda records, result, why: lambda_svc._send_ddb_stream_failure_record(
                mapping, function, records, mapping["EventSourceArn"], result, why
            ),
        )

    lambda_svc._execute_function = execute_as_the_mapping_says


def mapping_of(function: Any, event: Any) -> dict[str, Any] | None:
    """The mapping that brings an event, if it is one of a table's stream."""
    records = event.get("Records") if isinstance(event, dict) else None
    source = records[0].get("eventSourceARN", "") if records and isinstance(records, list) else ""
    if ":dynamodb:" not in source:
        return None
    name = (function.get("config") or function).get("FunctionName")
    for _, _, mapping in lambda_svc._iter_all_esms():
        if mapping["EventSourceArn"] == source and mapping["FunctionName"] == name:
            return dict(mapping)
    return None


def process(records: Records, run: Any, mapping: dict[str, Any], report: Any) -> Any:
    """Run a function on records until each is processed or reported; the last result counts."""
    most = int(mapping.get("MaximumRetryAttempts", FOREVER))
    oldest = float(mapping.get("MaximumRecordAgeInSeconds", FOREVER))
    halving = bool(mapping.get("BisectBatchOnFunctionError"))
    work: list[tuple[Records, int]] = [(records, 0)]
    result: Any = {}
    while work:
        batch, retries = work.pop(0)
        result = run(batch)
        first = first_failed(batch, result, mapping)
        if first is None:
            continue
        left = batch[first:]
        if oldest > 0 and time.time() - created(left[0]) > oldest:
            report(left, result, "RecordAgeExceeded")
        elif halving and first == 0 and len(left) > 1:
            middle = len(left) // 2
            work[:0] = [(left[:middle], retries), (left[middle:], retries)]
        elif most == FOREVER or retries < most:
            work.insert(0, (left, retries + 1))
        else:
            report(left, result, "RetryAttemptsExhausted")
    return {**result, "error": False}


def first_failed(batch: Records, result: Any, mapping: dict[str, Any]) -> int | None:
    """The place of the first record to bring again; None if all are processed."""
    if result.get("error"):
        return 0
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        return None
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str | bytes) and body else body
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return None
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    named = [failure.get("itemIdentifier") for failure in failures]
    # An id that is not in the batch, or none, makes all of it a failure.
    return min(numbers.index(name) for name in named) if set(named) <= set(numbers) else 0


def created(record: dict[str, Any]) -> float:
    """When a record came into the stream, in seconds since the epoch."""
    return float(record["dynamodb"].get("ApproximateCreationDateTime", time.time()))
