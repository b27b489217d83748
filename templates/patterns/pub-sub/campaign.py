"""What a fault campaign publishes, and sees at each subscriber. Not for projects."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

from proofs.inside.campaign_plan import Event, tried
from toolkit.commands.dead_letters import redrive
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, waiting
from toolkit.signed_request import call

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "the record of an event is no condition": {
        "file": "toolkit/runtime/idempotency.py",
        "sound": "attribute_not_exists(id) OR",
        "faulty": "attribute_not_exists(id) OR attribute_exists(id) OR",
        "events": 100,
        "seed": 1,
    },
    "an older event replaces a newer one": {
        "file": "src/service/adapters/shipments.py",
        "sound": "attribute_not_exists(shipment_id) OR occurred_at < :time",
        "faulty": "attribute_not_exists(shipment_id) OR occurred_at <> :time",
        "events": 200,
        "seed": 2,
    },
    "partial batch responses are off": {
        "file": "template.yaml",
        "sound": "FunctionResponseTypes: [ReportBatchItemFailures]",
        "faulty": "FunctionResponseTypes: []",
        "events": 200,
        "seed": 2,
    },
}
# Invalid events: each fails for its own reason, or the API refuses it.
POISON: tuple[dict[str, Any], ...] = (
    {"occurred_at": "2026-01-31"},
    {"shipment_id": 1},
    {"more": 1},
    {"event_id": ""},
)
EVENT = re.compile(r"event-\d+")
SUBSCRIBERS = ("Track", "Notify", "Unrouted")
# Who calls the API here: what is sent both ways is one event.
CALLER = "arn:aws:iam::123456789012:root"
# So many events are about one shipment, in whichever order: the last of them is its status.
OF_A_SHIPMENT = 5


class Campaign:
    """Delays, which both subscribers want, are published in lists: half of them through the API.

    An event took effect when both have it: its notification, and a status that is at least as new.
    """

    chunk, at_once = 10, 100

    def __init__(self, stack: Stack, _: Sequence[Event]) -> None:
        self._stack = stack
        self._sqs, self._sns = stack.aws.client("sqs"), stack.aws.client("sns")
        self._refused: dict[str, str] = {}
        for name in SUBSCRIBERS:
            # Shorter than a frozen function takes to time out: two process its event at once.
            self._sqs.set_queue_attributes(
                QueueUrl=self._queue(name), Attributes={"VisibilityTimeout": "4"}
            )

    def _queue(self, subscriber: str) -> str:
        return self._stack.outputs[f"{subscriber}QueueUrl"]

    def _dead_letters(self, subscriber: str) -> str:
        return self._stack.outputs[f"{subscriber}DeadLetterQueueUrl"]

    def send(self, events: Sequence[Event]) -> None:
        half = len(events) // 2
        # The API refuses a list with an invalid event in it: those go alone.
        for event in events[:half]:
            if event.is_poison:
                self._post([event])
        if good := [event for event in events[:half] if not event.is_poison]:
            self._post(good)
        self._sns.publish_batch(
            TopicArn=self._stack.outputs["TopicArn"],
            PublishBatchRequestEntries=[
                {
                    "Id": str(place),
                    "Message": json.dumps(fields_of(event)),
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in (("type", "shipment.delayed"), ("caller", CALLER))
                    },
                }
                for place, event in enumerate(events[half:])
            ],
        )

    def _post(self, events: Sequence[Event]) -> None:
        aws = self._stack.aws
        url = f"{aws.api_url(self._stack.outputs['ApiId'])}/shipments"
        body = json.dumps([fields_of(event) for event in events])
        answer = tried(lambda: call("POST", url, body, session=aws.session, verify=aws.ca))
        if answer.status != 202:
            self._refused |= {event.name: f"{answer.status} {answer.body}" for event in events}

    def at_work(self) -> int:
        return sum(waiting(self._sqs, self._queue(name)) for name in SUBSCRIBERS)

    def effects(self) -> Counter[str]:
        """How often `Notify` took each; one that `Track` has not got yet counts as not done."""
        tracked = self._newest()
        return Counter(
            item["event_id"]["S"]
            for item in self._items("NotificationsTable")
            if number_of(item["event_id"]["S"]) <= tracked.get(item["shipment_id"]["S"], -1)
        )

    def _newest(self) -> dict[str, int]:
        """The event that is the status of each shipment."""
        return {
            item["shipment_id"]["S"]: number_of(item["event_id"]["S"])
            for item in self._items("ShipmentsTable")
        }

    def _items(self, table: str) -> Iterator[dict[str, Any]]:
        pages = self._stack.aws.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self._stack.outputs[table], ConsistentRead=True):
            yield from page["Items"]

    def failures(self) -> dict[str, str]:
        found = dict(self._refused)
        for name in SUBSCRIBERS:
            with messages_in(self._sqs, self._dead_letters(name)) as messages:
                for message in messages:
                    [event, *_] = EVENT.findall(message["Body"])
                    found[event] = found.get(event) or self._cause_of(name, message)
        return found

    def _cause_of(self, subscriber: str, message: Any) -> str:
        """With the message, or in the log of the function that died over it."""
        if cause := message.get("MessageAttributes", {}).get("dead_letter_cause"):
            return str(cause["StringValue"])
        logs = self._stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{self._stack.name}-{subscriber}",
            filterPattern=f'"{message["MessageId"]}"',
        )
        return "the function died over it" if logs["events"] else ""

    def redrive(self) -> None:
        with redirect_stdout(sys.stderr):  # Figures alone are printed.
            for name in SUBSCRIBERS:
                redrive(self._sqs, self._dead_letters(name), self._queue(name), pause=0.05)

    def contradictions(self) -> dict[str, str]:
        """Of all notified events of a shipment, the newest has to be its status."""
        newest = self._newest()
        found = {}
        for item in self._items("NotificationsTable"):
            name, shipment = item["event_id"]["S"], item["shipment_id"]["S"]
            if number_of(name) > newest.get(shipment, -1):
                found[name] = f"the status of {shipment} is older"
        return found


def number_of(name: str) -> int:
    return int(name.partition("-")[2])


def fields_of(event: Event) -> dict[str, Any]:
    """The message that tells of an event. Later numbers happened later."""
    fields = {
        "event_id": event.name,
        "type": "shipment.delayed",
        "shipment_id": f"of-{event.number // OF_A_SHIPMENT}",
        "occurred_at": f"2026-01-31T{event.number // 3600 % 24:02}:"
        f"{event.number // 60 % 60:02}:{event.number % 60:02}Z",
    }
    if event.is_poison:
        fields |= POISON[event.number % len(POISON)]
    if not fields["event_id"]:
        fields["note"] = event.name  # Its name stays in the message.
    return fields
