"""What a fault campaign puts on the stream, and sees of it. Not for projects."""

import base64
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

from proofs.inside.campaign_plan import Event
from toolkit.commands.failures import Failure, failures_in, keys_in, replay
from toolkit.local_aws.stack import Stack
from toolkit.runtime.put_records import put_records

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "the record of an event is no condition": {
        "file": "toolkit/runtime/once_per_event.py",
        "sound": "attribute_not_exists(id) OR",
        "faulty": "attribute_not_exists(id) OR attribute_exists(id) OR",
        "events": 100,
        "seed": 1,
    },
    "a batch goes on after what has to be retried": {
        "file": "toolkit/runtime/stream_batch.py",
        "sound": "            return places[0]\n",
        "faulty": "            return None\n",
        "events": 200,
        "seed": 12,
    },
    "partial batch responses are off": {
        "file": "template.yaml",
        "sound": "FunctionResponseTypes: [ReportBatchItemFailures]",
        "faulty": "FunctionResponseTypes: []",
        "events": 200,
        "seed": 12,
    },
    "what Lambda gives up is not kept": {
        "file": "template.yaml",
        "sound": "DestinationConfig: { OnFailure: { Destination: !GetAtt Failures.Arn } }",
        "faulty": "DestinationConfig: {}",
        "events": 200,
        "seed": 12,
    },
}
# Invalid events: each fails for its own reason.
POISON: tuple[dict[str, Any], ...] = (
    {"amount": -1},
    {"version": 2},
    {"more": 1},
    {"happened_at": "2020-01-01T00:00:00Z"},
    {"happened_at": "2200-01-01T00:00:00Z"},
)
EVENT = re.compile(r"event-\d+")
# Records that end in the failures bucket, to see how far each shard is read.
MARK = re.compile(r"mark-(\d+) (\S+)")
SECONDS_BETWEEN_MARKS = 3
SITES, HOURS = 7, 5
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


class Campaign:
    """Events go on the stream; each adds an amount of its own to its total."""

    chunk, at_once = 5, 6

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None:
        self._stack = stack
        self._kinesis = stack.aws.client("kinesis")
        self._s3 = stack.aws.client("s3")
        self._dynamodb = stack.aws.client("dynamodb")
        self._stream = stack.outputs["StreamName"]
        self._bucket = stack.outputs["FailuresBucket"]
        self._events = {event.name: event for event in events}
        shards = self._kinesis.list_shards(StreamName=self._stream)["Shards"]
        self._shards = {s["ShardId"]: s["HashKeyRange"]["StartingHashKey"] for s in shards}
        # Of each event, the number of the first mark that comes after it.
        self._sent: dict[str, int] = {}
        self._marks, self._marked_at = 0, 0.0
        self._read = dict.fromkeys(self._shards, 0)
        # What was in the bucket, by key: an object does not change.
        self._objects: dict[str, Failure] = {}

    def send(self, events: Sequence[Event]) -> None:
        put_records(
            self._kinesis,
            self._stream,
            [{"PartitionKey": site_of(e), "Data": data_of(e).encode()} for e in events],
        )
        self._sent |= dict.fromkeys((event.name for event in events), self._marks + 1)

    def at_work(self) -> int:
        """Those before a mark that was read, on each shard, are done or lost."""
        undone = self._sent.keys() - self._counted() - self.failures().keys()
        if undone and time.monotonic() - self._marked_at > SECONDS_BETWEEN_MARKS:
            self._mark()
        return sum(self._sent[name] > min(self._read.values()) for name in undone)

    def _mark(self) -> None:
        self._marks += 1
        self._marked_at = time.monotonic()
        records: list[Any] = [
            {
                "PartitionKey": "mark",
                "ExplicitHashKey": key,
                "Data": f"mark-{self._marks} {shard}".encode(),
            }
            for shard, key in self._shards.items()
        ]
        put_records(self._kinesis, self._stream, records)

    def effects(self) -> Counter[str]:
        """Of each event that is recorded; twice when its total is not that of its events."""
        counted = self._counted()
        return Counter(counted) + Counter(counted & self._wrong_totals(counted).keys())

    def failures(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in keys_in(self._s3, self._bucket):
            if key not in self._objects:
                [self._objects[key]] = failures_in(self._s3, self._bucket, key)
            failure = self._objects[key]
            for record in failure.records:
                data = base64.b64decode(record["kinesis"]["data"]).decode()
                if mark := MARK.fullmatch(data):
                    self._read[mark[2]] = max(self._read[mark[2]], int(mark[1]))
                    if len(failure.records) == 1:
                        self._s3.delete_object(Bucket=self._bucket, Key=failure.key)
                else:
                    [name, *_] = EVENT.findall(data)
                    found[name] = failure.cause
        return found

    def redrive(self) -> None:
        failed = self.failures()
        with redirect_stdout(sys.stderr):  # Figures alone are printed.
            replay(self._s3, self._kinesis, self._bucket, self._stream)
        self._sent |= dict.fromkeys(failed, self._marks + 1)

    def contradictions(self) -> dict[str, str]:
        """Totals that are not those of the events that are recorded, by these events."""
        return self._wrong_totals(self._counted())

    def _wrong_totals(self, counted: set[str]) -> dict[str, str]:
        events = [event for event in self._events.values() if not event.is_poison]
        expected = {place_of(event): (0, 0) for event in events}
        for event in events:
            if event.name in counted:
                visits, amount = expected[place_of(event)]
                expected[place_of(event)] = (visits + 1, amount + amount_of(event))
        found = {place: (visits, amount) for place, visits, amount in self._totals()}
        return {
            event.name: f"its total is {found.get(place, (0, 0))}, and not {expected[place]}"
            for event in events
            if found.get(place := place_of(event), (0, 0)) != expected[place]
        }

    def _counted(self) -> set[str]:
        return {item["id"]["S"] for item in self._items("IdempotencyTable")}

    def _totals(self) -> list[tuple[tuple[str, str], int, int]]:
        return [
            ((i["site"]["S"], i["hour"]["S"]), int(i["visits"]["N"]), int(i["amount"]["N"]))
            for i in self._items("TotalsTable")
        ]

    def _items(self, table: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("scan")
        found = pages.paginate(TableName=self._stack.outputs[table], ConsistentRead=True)
        return [item for page in found for item in page["Items"]]


def site_of(event: Event) -> str:
    return f"site-{event.number % SITES}"


def amount_of(event: Event) -> int:
    return event.number + 1


def happened_at(event: Event) -> datetime:
    """Some of them hours ago: late."""
    return NOW - timedelta(hours=event.number % HOURS)


def place_of(event: Event) -> tuple[str, str]:
    return site_of(event), happened_at(event).strftime("%Y-%m-%dT%H")


def data_of(event: Event) -> str:
    """The record that tells of an event; its id is the event's name."""
    fields: dict[str, Any] = {
        "event_id": event.name,
        "site": site_of(event),
        "amount": amount_of(event),
        "happened_at": happened_at(event).isoformat(),
    }
    if event.is_poison:
        fields |= POISON[event.number % len(POISON)]
    return json.dumps(fields)
