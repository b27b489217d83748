"""What Lambda does with a batch of a Kinesis stream, by the rules that AWS documents.

docs.aws.amazon.com/lambda/latest/dg: services-kinesis-create, services-kinesis-parameters,
kinesis-on-failure-destination, services-kinesis-batchfailurereporting. What these pages leave open
is as AWS answered in November 2025: github.com/localstack/localstack at 8b9a79f05,
tests/aws/services/lambda_/event_source_mapping/test_lambda_integration_kinesis.snapshot.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]
# Lambda's own: endless.
ENDLESS = -1
# Why a batch is given up.
RETRIES, RECORD_AGE = "RetryAttemptsExhausted", "RecordAgeExceeded"


@dataclass(frozen=True)
class Batch:
    """Records that are processed together, and how often they were."""

    records: Sequence[Record]  # as in the function's event
    attempts: int = 0


@dataclass(frozen=True)
class Settings:
    """What an event source mapping says."""

    retries: int = ENDLESS
    oldest_seconds: int = ENDLESS
    bisects: bool = False
    reports_failures: bool = False

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> "Settings":
        """Read them from a mapping as the API gives it; a template's numbers may be text."""
        return cls(
            int(mapping.get("MaximumRetryAttempts", ENDLESS)),
            int(mapping.get("MaximumRecordAgeInSeconds", ENDLESS)),
            str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
            "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
        )


@dataclass(frozen=True)
class Next:
    """What comes after an invocation: batches in their order, or one that is given up."""

    batches: tuple[Batch, ...] = ()
    given_up: Batch | None = None
    condition: str = ""
    # Whether the last invocation ended with an error, and not with a partial batch response.
    crashed: bool = False


def too_old(batch: Batch, settings: Settings, now: float) -> Next | None:
    """Give up what is older than the mapping allows, before it is tried again; the rest stays."""
    if settings.oldest_seconds == ENDLESS:
        return None
    old = [r for r in batch.records if now - arrival(r) > settings.oldest_seconds]
    if not old:
        return None
    rest = batch.records[len(old) :]
    left = (Batch(rest, batch.attempts),) if rest else ()
    return Next(left, Batch(old, batch.attempts), RECORD_AGE)


def after(batch: Batch, settings: Settings, error: object, response: object) -> Next:
    """What Lambda does after it invoked the function with a batch.

    "Splitting batches doesn't consume the retry quota." With several identifiers, the lowest is the
    checkpoint: Lambda retries from there, and counts these retries anew.
    """
    tried = Batch(batch.records, batch.attempts + 1)
    if not error and settings.reports_failures:
        place = checkpoint(batch, response)
        if place is None:
            return Next()
        if place:
            # The batch is bisected at the record that was returned: the rest is a batch of its own.
            return Next((Batch(batch.records[place:]),))
        return retried(tried, settings, crashed=False)
    if not error:
        return Next()
    if settings.bisects and len(batch.records) > 1:
        middle = len(batch.records) // 2
        return Next(
            (
                Batch(batch.records[:middle], batch.attempts),
                Batch(batch.records[middle:], batch.attempts),
            )
        )
    return retried(tried, settings, crashed=True)


def retried(tried: Batch, settings: Settings, *, crashed: bool) -> Next:
    if settings.retries != ENDLESS and tried.attempts > settings.retries:
        return Next((), tried, RETRIES, crashed)
    return Next((tried,))


def checkpoint(batch: Batch, response: object) -> int | None:
    """The place of the record to retry from: none of a success, 0 of a complete failure.

    An empty or null list, and an empty or null response, are a success; an empty or null
    identifier, and one under another name, a complete failure.
    """
    if not response:
        return None
    failures = response.get("batchItemFailures") if isinstance(response, Mapping) else response
    if not failures:
        return None
    numbers = [str(record["kinesis"]["sequenceNumber"]) for record in batch.records]
    places = []
    for failure in failures if isinstance(failures, list) else [None]:
        found = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        if found not in numbers:
            return 0
        places.append(numbers.index(found))
    return min(places)


def arrival(record: Record) -> float:
    """When Kinesis took a record, in seconds since the epoch."""
    return float(record["kinesis"]["approximateArrivalTimestamp"])


def invocation_record(
    batch: Batch, what: Next, function: str, version: str, now: float, request_id: str
) -> dict[str, Any]:
    """What Lambda sends to the destination for a batch that it gave up: the metadata alone."""
    first, last = batch.records[0], batch.records[-1]
    error = "Unhandled" if what.crashed else None
    response = {"statusCode": 200, "executedVersion": version, "functionError": error}
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function,
            "condition": what.condition,
            # AWS says 1 too of what it never invoked the function with.
            "approximateInvokeCount": max(1, batch.attempts),
        },
        **({} if what.condition == RECORD_AGE else {"responseContext": response}),
        "version": "1.0",
        "timestamp": iso(now),
        "KinesisBatchInfo": {
            "shardId": first["eventID"].partition(":")[0],
            "startSequenceNumber": first["kinesis"]["sequenceNumber"],
            "endSequenceNumber": last["kinesis"]["sequenceNumber"],
            "approximateArrivalOfFirstRecord": iso(arrival(first)),
            "approximateArrivalOfLastRecord": iso(arrival(last)),
            "batchSize": len(batch.records),
            "streamArn": first["eventSourceARN"],
        },
    }


def object_key(mapping: str, shard: str, now: float, random: str) -> str:
    """Where in an S3 bucket: aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<UUID>."""
    at = datetime.fromtimestamp(now, UTC)
    return f"aws/lambda/{mapping}/{shard}/{at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{random}"


def iso(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")
