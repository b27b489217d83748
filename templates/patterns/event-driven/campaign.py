"""What a fault campaign uploads, and sees of it. Not for projects."""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from random import Random
from threading import Lock
from typing import Any, NamedTuple

from proofs.inside.campaign_plan import Event
from service.domain.surveys import comparable
from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.commands.events import republish
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, visible, waiting

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "an older version overwrites a newer": {
        "file": "src/service/adapters/surveys.py",
        "sound": "OR sequencer < :sequencer",
        "faulty": "OR sequencer <> :sequencer",
        # Few files come again with the same content, and only of those an older version is read.
        "events": 300,
        "seed": 1,
    },
    "the outbox is emptied before the bus has its events": {
        "file": "src/service/handlers/publish.py",
        "sound": "        refused = bus.put(",
        "faulty": "        valid and outbox.remove(valid)\n        refused = bus.put(",
        "events": 200,
        "seed": 2,
    },
}
EVENT = re.compile(r"event-\d+")
# Files that are no surveys: each fails for its own reason.
POISON = (b"no survey", b"oak,-1\n", b"oak,1\n\n", b"x" * 1_001)


class Seen(NamedTuple):
    """An event that came, and which version of which file it tells of."""

    key: str
    sequencer: str
    body: str


def seen(body: str) -> Seen:
    found = json.loads(body)["detail"]["object"]
    return Seen(found["key"], comparable(found["sequencer"]), body)


def newest_of(found: Sequence[Seen]) -> dict[str, str]:
    """The newest sequencer of each file."""
    newest: dict[str, str] = {}
    for one in found:
        newest[one.key] = max(one.sequencer, newest.get(one.key, ""))
    return newest


class Campaign:
    """Files are uploaded; a file that comes again is overwritten, or its old events come again."""

    chunk, at_once = 10, 100

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None:
        self._stack, self._out = stack, stack.outputs
        self._s3, self._sqs, self._dynamodb = (
            stack.aws.client(name) for name in ("s3", "sqs", "dynamodb")
        )
        self._queue, self._random, self._lock = self._out["QueueUrl"], Random(len(events)), Lock()  # noqa: S311
        self._uploads: Counter[str] = Counter()
        self._seen: list[Seen] = []
        self._spy = self._watch()
        # Shorter than a frozen function takes to time out: two process its file at once.
        for queue in ("QueueUrl", "NotifyQueueUrl"):
            self._sqs.set_queue_attributes(
                QueueUrl=self._out[queue], Attributes={"VisibilityTimeout": "4"}
            )

    def _watch(self) -> str:
        """A queue that gets what the queue of the stack gets."""
        events = self._stack.aws.client("events")
        rule = events.describe_rule(Name=f"{self._stack.name}-Uploads")
        arn = events.put_rule(Name="spy", EventPattern=rule["EventPattern"])["RuleArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": "*",
                    "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
                }
            ],
        }
        url = str(
            self._sqs.create_queue(QueueName="spy", Attributes={"Policy": json.dumps(policy)})[
                "QueueUrl"
            ]
        )
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        queue = attributes["Attributes"]["QueueArn"]
        events.put_targets(Rule="spy", Targets=[{"Id": "queue", "Arn": queue}])
        return url

    def send(self, events: Sequence[Event]) -> None:
        for event in events:
            with self._lock:
                self._uploads[event.name] += 1
                again, chosen = self._uploads[event.name] > 1, self._random.random()
            if again and chosen < 0.5:  # noqa: PLR2004
                self._repeat()
                continue
            number = event.number if chosen < 0.75 else self._uploads[event.name]  # noqa: PLR2004
            body = POISON[event.number % len(POISON)] if event.is_poison else b"oak,%d\n" % number
            key = f"{event.name}.csv"
            self._s3.put_object(Bucket=self._out["UploadsBucket"], Key=key, Body=body)

    def _repeat(self) -> None:
        """Deliver some events again, as S3 may at any time; half of them of older versions."""
        self._drain()
        with self._lock:
            newest = newest_of(self._seen)
            older = [one for one in self._seen if one.sequencer < newest[one.key]]
            chosen = [
                one
                for among in (self._seen, older)
                for one in self._random.sample(among, min(5, len(among)))
            ]
        if chosen:
            entries = [{"Id": str(n), "MessageBody": one.body} for n, one in enumerate(chosen)]
            self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)

    def _drain(self) -> None:
        while found := self._sqs.receive_message(QueueUrl=self._spy, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            with self._lock:
                self._seen += [seen(message["Body"]) for message in found]
            self._sqs.delete_message_batch(
                QueueUrl=self._spy,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(found)
                ],
            )

    def at_work(self) -> int:
        left = len(self._items("OutboxTable"))
        if left:
            # A report says how many records were given up: those wait for a person.
            left = max(0, left - sum(report["batchSize"] for report in self._reports()))
        queues = ("QueueUrl", "NotifyQueueUrl")
        return left + sum(waiting(self._sqs, self._out[queue]) for queue in queues)

    def _reports(self) -> list[dict[str, Any]]:
        with messages_in(self._sqs, self._out["PublishFailuresUrl"]) as messages:
            return [json.loads(message["Body"])["DDBStreamBatchInfo"] for message in messages]

    def effects(self) -> Counter[str]:
        """A row and a notification of the same version."""
        newest = {row["event_id"]: row["object_key"] for row in self._items("SurveysTable")}
        notified = [item["event_id"] for item in self._items("NotificationsTable")]
        return Counter(
            newest[one].removesuffix(".csv") for one in notified if newest.get(one) is not None
        )

    def failures(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for queue in ("DeadLetterQueueUrl", "NotifyDeadLetterQueueUrl"):
            with messages_in(self._sqs, self._out[queue]) as messages:
                for message in messages:
                    [name, *_] = EVENT.findall(message["Body"])
                    found[name] = found.get(name) or cause_of(message)
        reports = len(self._reports())
        for item in self._items("OutboxTable"):
            [name, *_] = EVENT.findall(item["detail"])
            found[name] = found.get(name) or (f"one of {reports} reports" if reports else "")
        return found

    def redrive(self) -> None:
        with redirect_stdout(sys.stderr):  # Figures alone are printed.
            for prefix in ("", "Notify"):
                dead_letters = self._out[f"{prefix}DeadLetterQueueUrl"]
                redrive(self._sqs, dead_letters, self._out[f"{prefix}QueueUrl"], pause=0.05)
            failures = self._out["PublishFailuresUrl"]
            republish(self._dynamodb, self._out["OutboxTable"], self._sqs, failures)

    def contradictions(self) -> dict[str, str]:
        """A row that is not of the newest version."""
        self._drain()
        newest = newest_of(self._seen)
        wrong = {
            row["object_key"].removesuffix(".csv"): "its row is of an older version"
            for row in self._items("SurveysTable")
            if row["sequencer"] != newest[row["object_key"]]
        }
        if count := visible(self._sqs, self._out["UnroutedQueueUrl"]):
            wrong["the bus"] = f"{count} events that no consumer wants"
        return wrong

    def _items(self, table: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._out[table], ConsistentRead=True
        )
        return [
            {name: next(iter(value.values())) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]
