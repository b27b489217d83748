"""What a fault campaign sends to the saga, and sees of it. Not for projects."""

import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

from proofs.inside.campaign_plan import Event, tried, wait_until
from tests.e2e.agree import ALL_DONE, items
from toolkit.commands.parked import everyone, resume
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, visible
from toolkit.signed_request import call

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "the record of a step is no condition": {
        "file": "src/service/adapters/steps.py",
        "sound": 'record["ConditionExpression"] = "attribute_not_exists(order_key)"',
        "faulty": 'record["ConditionExpression"] = "attribute_not_exists(nothing)"',
        "events": 100,
        "seed": 11,
    },
    "a compensation leaves no tombstone": {
        "file": "src/service/adapters/steps.py",
        "sound": 'earlier = self._write([{"Put": bury}])',
        "faulty": "earlier = None",
        "events": 100,
        "seed": 46,
    },
}
IN_STOCK = 10
# Poison, refused by the API or on its way, each by another step.
POISON: tuple[dict[str, Any], ...] = (
    {"quantity": IN_STOCK + 1},
    {"amount": 99_000_000},
    {"country": "AQ"},
    {"quantity": 0},
)
EVENT = re.compile(r"event-\d+")
# How the key of an order ends whose caller is the account itself.
OF_CALLER = hashlib.sha256(b"arn:aws:iam::123456789012:root").hexdigest()[:15]


class Campaign:
    """Each order has a sku of its own, so that what is left of it tells how often it was taken."""

    chunk, at_once = 1, 4

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None:
        self._stack = stack
        self._sqs = stack.aws.client("sqs")
        self._stepfunctions = stack.aws.client("stepfunctions")
        self._parked = stack.outputs["ParkedQueueUrl"]
        self._events = {event.name: event for event in events}
        self._refused: dict[str, str] = {}
        # An order that was undone is ordered anew, under another id: the last one counts.
        self._orders = {event.name: event.name for event in events}
        dynamodb = stack.aws.client("dynamodb")
        for start in range(0, len(events), 25):
            puts = [
                {"PutRequest": {"Item": {"sku": {"S": e.name}, "available": {"N": str(IN_STOCK)}}}}
                for e in events[start : start + 25]
            ]
            dynamodb.batch_write_item(RequestItems={stack.outputs["StockTable"]: puts})

    def send(self, events: Sequence[Event]) -> None:
        for event in events:
            self._send(event)

    def _send(self, event: Event) -> None:
        aws = self._stack.aws
        url = f"{aws.api_url(self._stack.outputs['ApiId'])}/orders"
        body = json.dumps(self._order(event))
        answer = tried(lambda: call("POST", url, body, session=aws.session, verify=aws.ca))
        if answer.status != 202:
            self._refused[event.name] = f"{answer.status} {answer.body}"

    def _order(self, event: Event) -> dict[str, Any]:
        order = {
            "order_id": self._orders[event.name],
            "sku": event.name,
            "quantity": 1,
            "amount": 4_200,
            "country": "DE",
        }
        return order | (POISON[event.number % len(POISON)] if event.is_poison else {})

    def at_work(self) -> int:
        running = list(self._executions("RUNNING"))
        return max(0, len(running) - visible(self._sqs, self._parked))

    def effects(self) -> dict[str, int]:
        return {
            item["sku"]: IN_STOCK - int(item["available"])
            for item in items(self._stack, "StockTable")
        }

    def failures(self) -> dict[str, str]:
        found = dict(self._refused)
        for case in self._cases():
            found[case["input"]["order"]["sku"]] = f"{case['step']}: {case['error']}"
        return found | self._undone()

    def redrive(self) -> None:
        with redirect_stdout(sys.stderr):  # Figures alone are printed.
            resume(self._sqs, self._stepfunctions, self._parked, everyone, rate=1_000)
        wait_until(lambda: not self.at_work())
        for name in self._undone():
            wait_until(lambda: self.at_work() < self.at_once)
            self._orders[name] += "-again"
            self.send([self._events[name]])
        self.send([self._events[name] for name in self._refused])

    def contradictions(self) -> dict[str, str]:
        """Orders that are neither done nor undone as a whole."""
        steps: dict[str, dict[str, str]] = defaultdict(dict)
        for record in items(self._stack, "StepsTable"):
            steps[record["order_key"]][record["step"]] = record["state"]
        paid, shipped = (
            {item["order_key"]: item["state"] for item in items(self._stack, table)}
            for table in ("PaymentsTable", "ShipmentsTable")
        )
        found, done = {}, Counter[str]()
        for key, states in steps.items():
            [name] = EVENT.findall(key)
            whole = states, paid.get(key), shipped.get(key)
            if whole == (ALL_DONE, "taken", "arranged"):
                done[name] += 1
            elif (
                set(states.values()) != {"undone"}
                or whole[1] not in (None, "refunded")
                or whole[2] not in (None, "cancelled")
            ):
                found[name] = f"neither done nor undone: {whole}"
        for name, taken in self.effects().items():
            if taken != done[name]:
                found[name] = f"taken out of stock {taken} times, and {done[name]} orders are done"
        return found

    def _executions(self, status: str) -> Iterator[dict[str, Any]]:
        pages = self._stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._stack.outputs["Workflow"], statusFilter=status
        )
        for page in pages:
            yield from page["executions"]

    def _cases(self) -> list[dict[str, Any]]:
        with messages_in(self._sqs, self._parked) as messages:
            return [json.loads(message["Body"]) for message in messages]

    def _undone(self) -> dict[str, str]:
        """Why an order was undone, for events that are not done."""
        machine = self._stack.outputs["Workflow"]
        prefix = machine.replace(":stateMachine:", ":execution:")
        found = {}
        for name, taken in self.effects().items():
            if taken or name in self._refused:
                continue
            try:
                execution = self._stepfunctions.describe_execution(
                    executionArn=f"{prefix}:{self._orders[name]}-{OF_CALLER}"
                )
            except self._stepfunctions.exceptions.ExecutionDoesNotExist:
                continue
            if execution["status"] == "SUCCEEDED":
                found[name] = str(json.loads(execution["output"]).get("reason", ""))
            elif execution["status"] != "RUNNING":
                found[name] = f"{execution['error']}: {execution['cause']}"
        return found
