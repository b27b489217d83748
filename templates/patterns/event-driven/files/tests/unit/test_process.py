"""The worker processes the newest version of each object once."""

import importlib
import io
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.surveys import Outcome, Surveys
from service.adapters.upload_events import upload_in
from service.adapters.uploads import CHUNK_BYTES, NoTimeLeftError, Uploads
from service.domain.surveys import InvalidSurveyError, Survey, SurveyProcessed, Upload, comparable
from toolkit.testing import Lines, Measured, Trace

SETTINGS = {
    "UPLOADS_BUCKET": "uploads",
    "LARGEST_BYTES": "100",
    "SURVEYS_TABLE": "surveys",
    "OUTBOX_TABLE": "outbox",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "MAX_RECEIVE_COUNT": "5",
}
UPLOAD = Upload("uploads", "a.csv", 10, "etag-1", "0A")
SURVEY = Survey("a.csv", "etag-1", comparable("0A"), 2, 7)
EVENT = SurveyProcessed("0" * 32, "a.csv", "etag-1", 2, 7, "message-1")


class S3:
    """Stands in for S3: objects by key, each with its ETag."""

    def __init__(self, **objects: tuple[str, bytes]) -> None:
        self.objects = {name.replace("_", "."): content for name, content in objects.items()}
        self.gone = "NoSuchKey"

    def get_object(self, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "uploads"
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": self.gone}}, "GetObject")
        etag, body = self.objects[Key]
        if IfMatch != f'"{etag}"':
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "GetObject")
        return {"Body": io.BytesIO(body)}


class Table:
    """Stands in for the table and its outbox."""

    def __init__(self) -> None:
        self.saved: list[tuple[Survey, SurveyProcessed]] = []
        self.outcome = Outcome.STORED

    def save(self, survey: Survey, event: SurveyProcessed) -> Outcome:
        self.saved.append((survey, event))
        return self.outcome


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.process")
    s3 = S3(a_csv=("etag-1", b"oak,3\nbirch,4\n"))
    monkeypatch.setattr(module, "s3", s3, raising=False)
    monkeypatch.setattr(module, "uploads", Uploads(s3, "uploads"))  # type: ignore[arg-type]
    monkeypatch.setattr(module, "surveys", Table())
    monkeypatch.setattr(module, "aside", [], raising=False)
    monkeypatch.setattr(module, "send_dead_letter", lambda _, cause: module.aside.append(cause))
    return module


def record(key: str = "a.csv", bucket: str = "uploads", **changes: Any) -> dict[str, Any]:
    found = {"key": key, "size": 10, "etag": "etag-1", "sequencer": "0A"} | changes
    body = {"detail": {"bucket": {"name": bucket}, "object": found}, "more": 1}
    return {
        "messageId": "message-1",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def test_row_and_event_of_an_object_are_saved(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    assert process.handler({"Records": [record()]}, context) == {"batchItemFailures": []}

    [(survey, event)] = process.surveys.saved
    assert (survey.object_key, survey.lines, survey.total) == ("a.csv", 2, 7)
    assert (survey.etag, survey.sequencer) == ("etag-1", comparable("0A"))
    assert (event.object_key, event.lines, event.total) == ("a.csv", 2, 7)
    assert event.correlation_id == "message-1"
    assert measured() == {"MessagesProcessed": 1}


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [(Outcome.DUPLICATE, "DuplicateMessages"), (Outcome.OLDER, "OlderVersions")],
)
def test_duplicate_and_older_versions_are_counted_and_logged(
    process: ModuleType, context: Any, measured: Measured, lines: Lines, outcome: Any, counted: str
) -> None:
    process.surveys.outcome = outcome

    assert process.handler({"Records": [record()]}, context) == {"batchItemFailures": []}

    assert measured() == {counted: 1}
    assert "a.csv" in {line.get("object_key") for line in lines()}


def test_overwritten_object_ends_without_an_error(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    answer = process.handler({"Records": [record(etag="etag-0")]}, context)

    assert answer == {"batchItemFailures": []}
    assert process.aside == process.surveys.saved == []
    assert measured() == {"OlderVersions": 1}


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_deleted_object_goes_to_the_dead_letter_queue_at_once(
    process: ModuleType, context: Any, code: str
) -> None:
    """Without s3:ListBucket, S3 answers 403 for what is not there."""
    process.s3.objects.clear()
    process.s3.gone = code

    assert process.handler({"Records": [record()]}, context) == {"batchItemFailures": []}

    [cause] = process.aside
    assert cause.startswith("PermanentError: the object was deleted, or")
    assert code in cause


def test_throttled_read_is_retried(process: ModuleType, context: Any) -> None:
    process.s3.objects.clear()
    process.s3.gone = "SlowDown"

    answer = process.handler({"Records": [record()]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert process.aside == []


@pytest.mark.parametrize(
    ("bad", "mentions"),
    [
        (record(bucket="other"), "in the bucket 'other'"),
        (record(size=0), "0 bytes"),
        (record(size=101), "101 bytes"),
        (record(sequencer=""), "sequencer"),
        (record(etag=1), "not an event"),
        (record() | {"body": "{"}, "not an event"),
        (record() | {"body": '{"detail": {}}'}, "not an event"),
    ],
)
def test_message_that_the_rule_would_not_send_goes_to_the_dead_letter_queue(
    process: ModuleType, context: Any, bad: dict[str, Any], mentions: str
) -> None:
    process.handler({"Records": [bad, record()]}, context)

    [cause] = process.aside
    assert mentions in cause
    assert len(process.surveys.saved) == 1


def test_message_stays_in_the_queue_when_time_runs_out(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_little = process.LONGEST_RECORD_SECONDS * 1_000
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: too_little)

    answer = process.handler({"Records": [record()]}, context)

    assert len(answer["batchItemFailures"]) == 1
    assert process.surveys.saved == []


def test_reading_stops_in_time_for_a_retry(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough time to begin, too little after the first part."""
    left = iter([30_000, 1_000, 1_000])
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: next(left))

    answer = process.handler({"Records": [record()]}, context)

    assert len(answer["batchItemFailures"]) == 1
    assert process.surveys.saved == process.aside == []


@pytest.mark.parametrize(
    "key", ["a+b.csv", "a b.csv", "a%41b.csv", "é.csv", "é" * 512, "a%20b+c d.csv"]
)
def test_key_is_taken_as_it_is(key: str) -> None:
    """Not as in S3's own notifications, where it is encoded."""
    assert upload_in(record(key=key)["body"]).key == key
    assert upload_in(json.dumps(json.loads(record(key=key)["body"]), ensure_ascii=False)).key == key


def test_notification_that_s3_sends_itself_is_refused() -> None:
    """Its key is encoded: taken for the other, it would name another object."""
    body = {"Records": [{"s3": {"bucket": {"name": "uploads"}, "object": {"key": "a+b.csv"}}}]}

    with pytest.raises(InvalidSurveyError, match="not an event"):
        upload_in(json.dumps(body))


class Body:
    """A file of which each part is asked for."""

    def __init__(self, parts: int) -> None:
        self.left = parts
        self.asked: list[int] = []

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        self.left -= 1
        return b"x" * size if self.left >= 0 else b""


def test_object_is_read_part_by_part_and_time_is_checked_between() -> None:
    body, checks = Body(parts=3), iter([True, True, False])

    class One:
        def get_object(self, **_: Any) -> dict[str, Any]:
            return {"Body": body}

    parts = Uploads(One(), "uploads").open(UPLOAD, lambda: next(checks))  # type: ignore[arg-type]

    assert [len(next(parts)), len(next(parts))] == [CHUNK_BYTES, CHUNK_BYTES]
    with pytest.raises(NoTimeLeftError):
        next(parts)
    assert body.asked == [CHUNK_BYTES] * 3


class Dynamo:
    """Stands in for DynamoDB: refuses a transaction with these reasons."""

    def __init__(self, *reasons: dict[str, Any]) -> None:
        self.reasons = reasons
        self.asked: list[Any] = []

    def transact_write_items(self, TransactItems: Any) -> None:  # noqa: N803
        self.asked.append(TransactItems)
        if self.reasons:
            error = {"Error": {"Code": "TransactionCanceledException"}}
            raise ClientError(
                error | {"CancellationReasons": list(self.reasons)},  # type: ignore[arg-type]
                "TransactWriteItems",
            )


def surveys_in(dynamodb: Any) -> Surveys:
    return Surveys(dynamodb, "surveys", "outbox")


def test_row_and_event_are_written_in_one_transaction() -> None:
    dynamodb = Dynamo()

    outcome = surveys_in(dynamodb).save(SURVEY, EVENT)

    assert outcome is Outcome.STORED
    [[row, event]] = dynamodb.asked
    assert row["Put"]["TableName"] == "surveys"
    assert row["Put"]["Item"] == {
        "object_key": {"S": "a.csv"},
        "etag": {"S": "etag-1"},
        "sequencer": {"S": comparable("0A")},
        "lines": {"N": "2"},
        "total": {"N": "7"},
        "event_id": {"S": EVENT.event_id},
    }
    assert "sequencer < :sequencer" in row["Put"]["ConditionExpression"]
    assert event["Put"]["TableName"] == "outbox"
    assert json.loads(event["Put"]["Item"]["detail"]["S"])["event_id"] == EVENT.event_id


@pytest.mark.parametrize(
    ("there", "expected"),
    [(comparable("0A"), Outcome.DUPLICATE), (comparable("0A1"), Outcome.OLDER)],
)
def test_what_is_there_decides_between_duplicate_and_older(there: str, expected: Outcome) -> None:
    refusal = {"Code": "ConditionalCheckFailed", "Item": {"sequencer": {"S": there}}}
    dynamodb = Dynamo(refusal, {"Code": "None"})

    assert surveys_in(dynamodb).save(SURVEY, EVENT) is expected


def test_other_refusals_are_raised() -> None:
    dynamodb = Dynamo({"Code": "ThrottlingError"}, {"Code": "None"})

    with pytest.raises(ClientError):
        surveys_in(dynamodb).save(SURVEY, EVENT)


def test_log_has_the_key_and_not_the_content(
    process: ModuleType, context: Any, lines: Lines
) -> None:
    process.s3.objects["a.csv"] = ("etag-1", b"marked")

    process.handler({"Records": [record()]}, context)

    assert "marked" not in str(lines())


def test_steps_are_traced(process: ModuleType, context: Any, trace: Trace) -> None:
    process.handler({"Records": [record()]}, context)

    assert trace.keys() == {
        "## handler",
        "## service.handlers.process.process_upload",
        "## service.adapters.uploads.Uploads.open",
    }
