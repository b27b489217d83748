"""What a fault campaign sends to the queue, and sees of it. Not for projects."""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from proofs.inside.campaign_plan import Event, tried
from toolkit.commands.dead_letters import redrive
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, waiting
from toolkit.signed_request import call

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "the record of an order is no condition": {
        "file": "toolkit/runtime/idempotency.py",
        "sound": "attribute_not_exists(id) OR",
        "faulty": "attribute_not_exists(id) OR attribute_exists(id) OR",
        "events": 100,
        "seed": 1,
    },
    "partial batch responses are off": {
        "file": "template.yaml",
        "sound": "FunctionResponseTypes: [ReportBatchItemFailures]",
        "faulty": "FunctionResponseTypes: []",
        "events": 200,
        "seed": 2,
    },
}
# Invalid orders: each fails for its own reason, or the API refuses it.
POISON: tuple[dict[str, Any], ...] = (
    {"quantity": 0},
    {"quantity": "1"},
    {"more": 1},
    {"order_id": ""},
)
EVENT = re.compile(r"event-\d+")
# Who calls the API here: what is sent both ways is one order.
CALLER = "arn:aws:iam::123456789012:root"


class Campaign:
    """Orders go into the queue, one of ten through the API; shipments are what they lead to."""

    chunk, at_once = 10, 100

    def __init__(self, stack: Stack, _: Sequence[Event]) -> None:
        self._stack = stack
        self._sqs = stack.aws.client("sqs")
        self._queue = stack.outputs["QueueUrl"]
        self._dead_letters = stack.outputs["DeadLetterQueueUrl"]
        self._refused: dict[str, str] = {}
        # Shorter than a frozen function takes to time out: two process its order at once.
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"VisibilityTimeout": "4"})

    def send(self, events: Sequence[Event]) -> None:
        through_api, *others = events
        self._post(through_api)
        if others:
            self._sqs.send_message_batch(
                QueueUrl=self._queue,
                Entries=[
                    {
                        "Id": str(place),
                        "MessageBody": order(event),
                        "MessageAttributes": {
                            "caller": {"DataType": "String", "StringValue": CALLER}
                        },
                    }
                    for place, event in enumerate(others)
                ],
            )

    def _post(self, event: Event) -> None:
        aws = self._stack.aws
        url = f"{aws.api_url(self._stack.outputs['ApiId'])}/orders"
        answer = tried(lambda: call("POST", url, order(event), session=aws.session, verify=aws.ca))
        if answer.status != 202:
            self._refused[event.name] = f"{answer.status} {answer.body}"

    def at_work(self) -> int:
        return waiting(self._sqs, self._queue)

    def effects(self) -> Counter[str]:
        pages = self._stack.aws.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self._stack.outputs["ShipmentsTable"], ConsistentRead=True)
        return Counter(item["sku"]["S"] for page in found for item in page["Items"])

    def failures(self) -> dict[str, str]:
        found = dict(self._refused)
        with messages_in(self._sqs, self._dead_letters) as messages:
            for message in messages:
                [name, *_] = EVENT.findall(message["Body"])
                found[name] = found.get(name) or self._cause_of(message)
        return found

    def _cause_of(self, message: Any) -> str:
        """With the message, or in the log of the function that died over it."""
        if cause := message.get("MessageAttributes", {}).get("dead_letter_cause"):
            return str(cause["StringValue"])
        logs = self._stack.aws.client("logs").filter_log_events(
            logGroupName=self._stack.outputs["ProcessLogGroup"],
            filterPattern=f'"{message["MessageId"]}"',
        )
        return "the function died over it" if logs["events"] else ""

    def redrive(self) -> None:
        with redirect_stdout(sys.stderr):  # Figures alone are printed.
            redrive(self._sqs, self._dead_letters, self._queue, pause=0.05)

    def contradictions(self) -> dict[str, str]:
        return {}


def order(event: Event) -> str:
    """The message that tells of an event. Its sku is the event's name, and so is its id."""
    fields = {"order_id": event.name, "sku": event.name, "quantity": 1}
    if event.is_poison:
        fields |= POISON[event.number % len(POISON)]
    return json.dumps(fields)
