"""The newest version of each file has one row and one event, or is in a queue with its cause."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.surveys import comparable
from tests.template.routing import PUBLISHED, UPLOADS
from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.commands.events import replay, republish, rule_arn
from toolkit.local_aws.stack import Stack
from toolkit.messages import delete, messages_in, visible, waiting

Eventually = Callable[[Callable[[], Any]], Any]
WRITE, PUT_EVENTS = "DynamoDB_20120810.TransactWriteItems", "AWSEvents.PutEvents"
REMOVE, NOTIFY = "DynamoDB_20120810.BatchWriteItem", "DynamoDB_20120810.PutItem"
BODY = b"oak,3\nbirch,4\n"
ALL_KEYS = ["a+b.csv", "a b.csv", "a%41b.csv", "é.csv", "x" * 400 + "é" * 200 + ".csv"]


class Uploads:
    """What tests do with the deployed stack."""

    def __init__(self, stack: Stack, eventually: Eventually) -> None:
        self.stack = stack
        self.out = stack.outputs
        self.eventually = eventually
        self.s3, self.sqs, self.dynamodb, self.events = (
            stack.aws.client(name) for name in ("s3", "sqs", "dynamodb", "events")
        )

    def upload(self, key: str, body: bytes = BODY) -> str:
        """Store an object; returns its ETag."""
        put = self.s3.put_object(Bucket=self.out["UploadsBucket"], Key=key, Body=body)
        return str(put["ETag"].strip('"'))

    def send(self, key: str, etag: str, sequencer: str, size: int = len(BODY)) -> None:
        """Put the event of a new object into the queue, as EventBridge does."""
        event = {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": self.out["UploadsBucket"]},
                "object": {"key": key, "size": size, "etag": etag, "sequencer": sequencer},
            },
        }
        self.sqs.send_message(QueueUrl=self.out["QueueUrl"], MessageBody=json.dumps(event))

    def put_event(self, detail_type: str, source: str, detail: dict[str, Any]) -> None:
        entry = {
            "EventBusName": self.out["EventBus"],
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def fail(self, target: str, fault: Any, function: str, times: int = 1) -> None:
        self.stack.aws.fail(target, fault, times, function=f"{self.stack.name}-{function}")

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.out[table], ConsistentRead=True
        )
        return [
            {name: next(iter(value.values())) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def row(self, key: str) -> dict[str, Any] | None:
        rows = [row for row in self.items("SurveysTable") if row["object_key"] == key]
        return rows[0] if rows else None

    def notified(self) -> Counter[str]:
        """How many notifications each key has."""
        return Counter(item["object_key"] for item in self.items("NotificationsTable"))

    def dead_letters(self, output: str = "DeadLetterQueueUrl") -> list[tuple[str, str]]:
        """Bodies in a queue of failures, and their causes; taken out."""
        with messages_in(self.sqs, self.out[output]) as found:
            for message in found:
                delete(self.sqs, self.out[output], message)
        return [(message["Body"], cause_of(message)) for message in found]

    def is_settled(self) -> bool:
        """Whether nothing waits anywhere, from the queue to the consumer."""
        return not (
            waiting(self.sqs, self.out["QueueUrl"])
            or self.items("OutboxTable")
            or waiting(self.sqs, self.out["NotifyQueueUrl"])
        )

    def settle(self) -> None:
        # Twice: in between, something is on its way from one to the next.
        self.eventually(lambda: self.is_settled() and self.is_settled())

    def logged(self, function: str, message: str) -> list[dict[str, Any]]:
        events = self.stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{self.stack.name}-{function}",
            filterPattern=f'"{message}"',
        )["events"]
        return [json.loads(event["message"]) for event in events]

    def wait_for(self, function: str, message: str, **fields: Any) -> dict[str, Any]:
        """The first such line in a function's log, which can come later than its effect."""

        def found() -> list[dict[str, Any]]:
            lines = self.logged(function, message)
            return [line for line in lines if fields.items() <= line.items()]

        line: dict[str, Any] = self.eventually(found)[0]
        return line


ENDS = (
    "DeadLetterQueueUrl",
    "UploadsDeadLetterQueueUrl",
    "NotifyDeadLetterQueueUrl",
    "PublishFailuresUrl",
    "UnroutedQueueUrl",
)


@pytest.fixture
def uploads(stack: Stack, eventually: Eventually) -> Iterator[Uploads]:
    """The stack, with nothing left from the test before, and nothing left in it."""
    uploads = Uploads(stack, eventually)
    assert uploads.is_settled()
    yield uploads
    uploads.settle()
    assert {end: uploads.dead_letters(end) for end in ENDS} == {end: [] for end in ENDS}


@pytest.fixture
def key() -> str:
    return f"{uuid.uuid4().hex}/survey.csv"


def test_upload_has_a_row_an_event_and_a_notification(uploads: Uploads, key: str) -> None:
    etag = uploads.upload(key)

    uploads.eventually(lambda: uploads.notified()[key] == 1)

    row = uploads.row(key)
    assert row
    assert (row["lines"], row["total"], row["etag"]) == ("2", "7", etag)
    [notification] = [n for n in uploads.items("NotificationsTable") if n["object_key"] == key]
    assert notification["event_id"] == row["event_id"]
    assert (notification["lines"], notification["total"]) == ("2", "7")


def test_correlation_id_reaches_the_consumer(uploads: Uploads, key: str) -> None:
    uploads.upload(key)
    uploads.settle()

    there = uploads.wait_for("Process", "processed", object_key=key)
    uploads.wait_for("Notify", "notified", correlation_id=there["correlation_id"])


@pytest.mark.parametrize("name", ALL_KEYS, ids=["+", "space", "%41", "é", "1,024 bytes"])
def test_key_is_read_exactly(uploads: Uploads, name: str) -> None:
    start = uuid.uuid4().hex
    key = f"{start}/{name}"
    key = start[:10] + key[43 - len(key.encode()) + 1_024 :] if len(key.encode()) > 1_024 else key

    uploads.upload(key)

    uploads.eventually(lambda: uploads.notified()[key] == 1)
    assert uploads.row(key)


@pytest.mark.parametrize("case", UPLOADS)
def test_rule_matches_what_the_table_says(uploads: Uploads, case: str) -> None:
    """The same table as in tests/template, put to the local AWS."""
    event, is_read = UPLOADS[case]
    rule = uploads.events.describe_rule(Name=f"{uploads.stack.name}-Uploads")
    bucket = event["detail"]["bucket"]
    name = bucket["name"].replace(
        f"{uploads.stack.name}/UploadsBucket", uploads.out["UploadsBucket"]
    )
    real = event | {"detail": event["detail"] | {"bucket": {"name": name}}}

    answer = uploads.events.test_event_pattern(
        EventPattern=rule["EventPattern"], Event=json.dumps(real)
    )

    assert answer["Result"] is is_read


def test_what_is_no_survey_starts_nothing(uploads: Uploads, key: str) -> None:
    folder = key.partition("/")[0]
    uploads.upload(f"{folder}/", b"")
    uploads.upload(key, b"")
    uploads.upload(f"{key}.gz")
    uploads.upload(f"{folder}/last.csv")

    uploads.eventually(lambda: uploads.row(f"{folder}/last.csv"))

    assert [
        r["object_key"] for r in uploads.items("SurveysTable") if folder in r["object_key"]
    ] == [f"{folder}/last.csv"]


def test_duplicate_events_have_one_row_and_one_notification(uploads: Uploads, key: str) -> None:
    etag = uploads.upload(key)
    uploads.eventually(lambda: uploads.notified()[key] == 1)
    row = uploads.row(key)
    assert row

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: uploads.send(key, etag, row["sequencer"].rstrip("0")), range(8)))
    uploads.settle()

    assert uploads.row(key) == row
    assert uploads.notified()[key] == 1
    uploads.wait_for("Process", "duplicate", object_key=key)


@pytest.mark.parametrize("sequencer", ["0", "00", "0" * 40], ids=["shorter", "two", "longer"])
def test_replayed_older_event_changes_nothing(uploads: Uploads, key: str, sequencer: str) -> None:
    etag = uploads.upload(key)
    uploads.eventually(lambda: uploads.notified()[key] == 1)
    row = uploads.row(key)

    uploads.send(key, etag, sequencer)
    uploads.settle()

    assert uploads.row(key) == row
    assert uploads.notified()[key] == 1
    reason = "a newer version was processed before"
    uploads.wait_for("Process", "older version ignored", object_key=key, reason=reason)


def test_two_versions_end_with_the_newer_in_any_order(uploads: Uploads, key: str) -> None:
    first = uploads.upload(key)
    uploads.eventually(lambda: uploads.notified()[key] == 1)
    old = uploads.row(key)
    assert old
    second = uploads.upload(key, b"oak,100\n")
    uploads.eventually(lambda: uploads.notified()[key] == 2)

    uploads.send(key, first, old["sequencer"])
    uploads.settle()

    new = uploads.row(key)
    assert new
    assert (new["etag"], new["total"]) == (second, "100")
    assert new["sequencer"] > comparable(old["sequencer"])
    reason = "overwritten before it was read"
    uploads.wait_for("Process", "older version ignored", object_key=key, reason=reason)


def test_deleted_object_goes_to_the_dead_letter_queue_at_once(uploads: Uploads, key: str) -> None:
    etag = uploads.upload(key)
    uploads.eventually(lambda: uploads.notified()[key] == 1)
    uploads.s3.delete_object(Bucket=uploads.out["UploadsBucket"], Key=key)

    uploads.send(key, etag, "F" * 20)
    uploads.settle()

    [(body, cause)] = uploads.dead_letters()
    assert json.loads(body)["detail"]["object"]["key"] == key
    assert cause.startswith("PermanentError: the object was deleted, or this function may not read")
    retried = uploads.logged("Process", "will be retried")
    assert cause not in {line["cause"] for line in retried}


def test_invalid_file_goes_to_the_dead_letter_queue_at_once(uploads: Uploads, key: str) -> None:
    uploads.upload(f"{key}.bad.csv", b"no survey")
    uploads.upload(key)

    uploads.eventually(lambda: uploads.notified()[key] == 1)
    uploads.settle()

    [(_, cause)] = uploads.dead_letters()
    assert cause == "PermanentError: line 1 must be a name, a comma and a whole number"


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
@pytest.mark.parametrize(
    ("function", "target"),
    [("Process", WRITE), ("Publish", PUT_EVENTS), ("Publish", REMOVE), ("Notify", NOTIFY)],
)
def test_crash_loses_and_repeats_nothing(
    uploads: Uploads, key: str, function: str, target: str, moment: str
) -> None:
    uploads.fail(target, moment, function)

    keys = [f"{number}-{key}" for number in range(3)]
    for one in keys:
        uploads.upload(one)
    uploads.settle()

    uploads.eventually(lambda: all(uploads.notified()[one] for one in keys))
    uploads.settle()
    assert {one: uploads.notified()[one] for one in keys} == dict.fromkeys(keys, 1)


@pytest.mark.parametrize(("function", "target"), [("Process", WRITE), ("Notify", NOTIFY)])
def test_last_attempt_keeps_the_cause_and_can_be_redriven(
    uploads: Uploads, key: str, function: str, target: str
) -> None:
    attempts, calls_per_attempt = 3, 2
    uploads.fail(target, "throttle", function, times=attempts * calls_per_attempt)
    prefix = "" if function == "Process" else function
    dead_letters, queue = (uploads.out[f"{prefix}{n}Url"] for n in ("DeadLetterQueue", "Queue"))
    uploads.upload(key)
    uploads.eventually(lambda: visible(uploads.sqs, dead_letters))
    uploads.settle()
    with messages_in(uploads.sqs, dead_letters) as messages:
        [message] = messages
    assert "Throttling" in cause_of(message)
    assert not uploads.notified()[key]

    assert redrive(uploads.sqs, dead_letters, queue, pause=0.05) == 1

    uploads.eventually(lambda: uploads.notified()[key] == 1)


def test_event_that_cannot_be_delivered_is_kept_and_can_be_redriven(
    uploads: Uploads, key: str
) -> None:
    queue, policy = uploads.out["QueueUrl"], {"AttributeNames": ["Policy"]}
    before = uploads.sqs.get_queue_attributes(QueueUrl=queue, **policy)["Attributes"]
    shut = json.loads(before["Policy"])
    shut["Statement"] = [one for one in shut["Statement"] if one["Effect"] == "Deny"]
    uploads.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(shut)})
    dead_letters = uploads.out["UploadsDeadLetterQueueUrl"]
    try:
        uploads.upload(key)
        uploads.eventually(lambda: visible(uploads.sqs, dead_letters))
    finally:
        uploads.sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)
    with messages_in(uploads.sqs, dead_letters) as messages:
        [message] = messages
    assert cause_of(message) == "Lack of permissions to invoke the target."

    assert redrive(uploads.sqs, dead_letters, queue, pause=0.05) == 1

    uploads.eventually(lambda: uploads.notified()[key] == 1)


def test_event_that_cannot_be_published_stays_in_the_outbox_and_is_republished(
    uploads: Uploads, key: str
) -> None:
    attempts, calls_per_attempt = 4, 2
    uploads.fail(PUT_EVENTS, "throttle", "Publish", times=attempts * calls_per_attempt)
    failures = uploads.out["PublishFailuresUrl"]

    uploads.upload(key)
    uploads.eventually(lambda: visible(uploads.sqs, failures))

    assert [item["event_id"] for item in uploads.items("OutboxTable")] == [
        (uploads.row(key) or {})["event_id"]
    ]
    assert not uploads.notified()[key]
    with messages_in(uploads.sqs, failures) as messages:
        [report] = [json.loads(message["Body"]) for message in messages]
    assert report["requestContext"]["condition"] == "RetryAttemptsExhausted"

    again = republish(uploads.dynamodb, uploads.out["OutboxTable"], uploads.sqs, failures)

    assert again == 1
    uploads.eventually(lambda: uploads.notified()[key] == 1)


def test_invalid_event_holds_up_no_other(uploads: Uploads, key: str) -> None:
    """Somebody wrote to the outbox by hand: it is reported, and what follows is published."""
    bad = {
        "event_id": {"S": "bad"},
        "detail_type": {"S": "survey.processed"},
        "detail": {"S": "{}"},
    }
    uploads.dynamodb.put_item(TableName=uploads.out["OutboxTable"], Item=bad)
    uploads.upload(key)

    uploads.eventually(lambda: uploads.notified()[key] == 1)
    uploads.eventually(lambda: visible(uploads.sqs, uploads.out["PublishFailuresUrl"]))

    assert len(uploads.dead_letters("PublishFailuresUrl")) == 1
    assert [item["event_id"] for item in uploads.items("OutboxTable")] == ["bad"]
    uploads.dynamodb.delete_item(
        TableName=uploads.out["OutboxTable"], Key={"event_id": {"S": "bad"}}
    )


@pytest.mark.parametrize(
    "case", [case for case, (_, got) in PUBLISHED.items() if "Unrouted" in got]
)
def test_event_that_no_consumer_wants_is_kept(uploads: Uploads, case: str) -> None:
    event, _ = PUBLISHED[case]
    uploads.put_event(event["detail-type"], event["source"], event["detail"])

    uploads.eventually(lambda: visible(uploads.sqs, uploads.out["UnroutedQueueUrl"]))

    [(body, _)] = uploads.dead_letters("UnroutedQueueUrl")
    assert json.loads(body)["detail-type"] == event["detail-type"]


def test_replay_reaches_the_rule_that_is_named_and_doubles_nothing(
    uploads: Uploads, key: str
) -> None:
    start = datetime.now(UTC) - timedelta(seconds=2)
    uploads.upload(key)
    uploads.eventually(lambda: uploads.notified()[key] == 1)
    uploads.put_event("survey.lost", "test", {})
    uploads.eventually(lambda: visible(uploads.sqs, uploads.out["UnroutedQueueUrl"]))
    uploads.dead_letters("UnroutedQueueUrl")
    before = uploads.notified()
    bus = uploads.out["EventBusArn"]
    rule = rule_arn(bus, uploads.stack.name, "Notify")

    name = replay(uploads.events, uploads.out["ArchiveArn"], bus, rule, start, datetime.now(UTC))

    uploads.eventually(
        lambda: uploads.events.describe_replay(ReplayName=name)["State"] == "COMPLETED"
    )
    uploads.settle()
    [row] = [row for row in uploads.items("SurveysTable") if row["object_key"] == key]
    uploads.wait_for("Notify", "duplicate", event_id=row["event_id"])
    assert uploads.notified() == before
