"""What a fault campaign sends to a schedule's queue, and sees of it. Not for projects."""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

from proofs.inside.campaign_plan import Event
from toolkit.commands.dead_letters import redrive
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, waiting
from toolkit.runtime.runs import State

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "a run is complete after its first page": {
        "file": "src/service/handlers/process.py",
        "sound": "if is_more or done < len(page):",
        "faulty": "if done < len(page):",
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
# Invalid messages: each fails for its own reason.
POISON: tuple[dict[str, Any], ...] = (
    {"scheduled_time": "<aws.scheduler.scheduled-time>"},
    {"scheduled_time": "2126-01-01T00:00:00Z"},
    {"page": -1},
    {"more": 1},
)
EVENT = re.compile(r"event-\d+")
# Two pages of the local stack.
CUSTOMERS = 7
BEGIN, APART = datetime(2020, 1, 1, tzinfo=UTC), timedelta(minutes=10)
BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=1)


class Campaign:
    """An event is a scheduled time of a schedule of its own; for each, every customer is billed.

    For every third event the next run comes as well: before it, after it, or while it is at work.
    Whichever runs, the time of the event has to be in exactly one invoice of each customer.
    """

    chunk, at_once = 10, 100

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None:
        self._stack = stack
        self._sqs = stack.aws.client("sqs")
        self._dynamodb = stack.aws.client("dynamodb")
        self._queue = stack.outputs["QueueUrl"]
        self._dead_letters = stack.outputs["DeadLetterQueueUrl"]
        self._schedules = stack.outputs["ScheduleArn"].rpartition("/")[0]
        # Shorter than a frozen function takes to time out: two work on its run at once.
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"VisibilityTimeout": "4"})
        for number in range(CUSTOMERS):
            self._dynamodb.put_item(
                TableName=stack.outputs["CustomersTable"],
                Item={
                    "customer_id": {"S": f"customer-{number}"},
                    "daily_cents": {"N": "100"},
                    "opened_at": {"S": "2019-01-01T00:00:00Z"},
                },
            )
        states = [self._state_of(event) for event in events]
        for start in range(0, len(states), 25):
            self._dynamodb.batch_write_item(
                RequestItems={
                    stack.outputs["RunsTable"]: [
                        {"PutRequest": {"Item": item}} for item in states[start : start + 25]
                    ]
                }
            )

    def _state_of(self, event: Event) -> dict[str, Any]:
        """The run before was complete."""
        schedule = f"{self._schedules}/{event.name}"
        state = State(schedule, token=1, watermark=text_of(time_of(event.number) - BEFORE))
        fields = {name: getattr(state, name) for name in ("schedule", "token", "watermark")}
        return {
            "schedule": {"S": schedule},
            "token": {"N": "1"},
            "watermark": {"S": state.watermark},
            "state": {"S": json.dumps(fields)},
        }

    def send(self, events: Sequence[Event]) -> None:
        bodies = [body for event in events for body in self._bodies(event)]
        for start in range(0, len(bodies), 10):
            self._sqs.send_message_batch(
                QueueUrl=self._queue,
                Entries=[
                    {"Id": str(place), "MessageBody": body}
                    for place, body in enumerate(bodies[start : start + 10])
                ],
            )

    def _bodies(self, event: Event) -> list[str]:
        def body(time: datetime, **more: Any) -> str:
            schedule = f"{self._schedules}/{event.name}"
            return json.dumps({"schedule": schedule, "scheduled_time": text_of(time)} | more)

        time = time_of(event.number)
        if event.is_poison:
            return [body(time, **POISON[event.number % len(POISON)])]
        both = [body(time), body(time + AFTER)]
        return [both[:1], both, both[::-1]][event.number % 3]

    def at_work(self) -> int:
        return waiting(self._sqs, self._queue)

    def effects(self) -> Counter[str]:
        """An event took effect when every customer is billed for its time."""
        found: Counter[str] = Counter()
        for name, billed in self._billed().items():
            found[name] = max(billed.values()) if len(billed) == CUSTOMERS else 0
        return found

    def _billed(self) -> dict[str, Counter[str]]:
        """How many invoices of each customer have the time of an event in them."""
        billed: dict[str, Counter[str]] = defaultdict(Counter)
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._stack.outputs["InvoicesTable"], ConsistentRead=True
        )
        for item in (item for page in pages for item in page["Items"]):
            end = datetime.fromisoformat(item["scheduled_time"]["S"])
            number = (end - BEGIN) // APART
            if item["period_start"]["S"] < text_of(time_of(number)) <= text_of(end):
                billed[f"event-{number}"][item["customer_id"]["S"]] += 1
        return billed

    def failures(self) -> dict[str, str]:
        found: dict[str, str] = {}
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
        return {
            name: f"only {len(billed)} of {CUSTOMERS} customers are billed"
            for name, billed in self._billed().items()
            if len(billed) != CUSTOMERS
        }


def time_of(number: int) -> datetime:
    """The scheduled time of an event."""
    return BEGIN + number * APART + BEFORE


def text_of(time: datetime) -> str:
    """A time as the messages have it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
