"""What a fault campaign delivers to the webhook, and forges, and sees of it. Not for projects."""

import base64
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from threading import Lock
from typing import Any

from proofs.inside.campaign_plan import Event, tried
from toolkit.commands.dead_letters import redrive
from toolkit.commands.secret import add
from toolkit.local_aws.stack import Stack
from toolkit.messages import messages_in, waiting
from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign
from toolkit.signed_request import call

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "a claim is not given again": {
        "file": "src/service/adapters/received_deliveries.py",
        "sound": "AND progress = :claimed",
        "faulty": "AND progress <> :claimed AND progress = :claimed",
        "events": 300,
        "seed": 1,
    },
    "partial batch responses are off": {
        "file": "template.yaml",
        "sound": "FunctionResponseTypes: [ReportBatchItemFailures]",
        "faulty": "FunctionResponseTypes: []",
        "events": 200,
        "seed": 2,
    },
    "any signature is accepted": {
        "file": "toolkit/runtime/signatures.py",
        "sound": "return any(matches)",
        "faulty": "return bool(matches)",
        "events": 20,
        "seed": 3,
    },
}
# Invalid events: each fails for its own reason.
POISON: tuple[dict[str, Any], ...] = (
    {"created": -1},
    {"created": "now"},
    {"data": {}},
    {"data": {"payment_id": "event-", "amount": 1, "currency": "euro"}},
)
EVENT = re.compile(r"event-\d+")
OTHER_VALUE = "whsec_" + base64.b64encode(b"not the secret of the provider").decode()
Request = tuple[bytes, dict[str, str]]


class Campaign:
    """Deliveries come through the API, each after a forged one; they lead to payments."""

    chunk, at_once = 10, 100

    def __init__(self, stack: Stack, _: Sequence[Event]) -> None:
        self._stack = stack
        self._sqs = stack.aws.client("sqs")
        self._queue = stack.outputs["QueueUrl"]
        self._dead_letters = stack.outputs["DeadLetterQueueUrl"]
        self._url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/webhooks"
        self._refused: dict[str, str] = {}
        self._let_in: dict[str, str] = {}
        self._forged: Counter[int] = Counter()
        self._lock = Lock()
        # Shorter than a frozen function takes to time out: two process its delivery at once.
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"VisibilityTimeout": "4"})
        secretsmanager = stack.aws.client("secretsmanager")
        add(secretsmanager, stack.outputs["SecretArn"], LOCAL_VALUE, int(time.time()), overlap=0)

    def send(self, events: Sequence[Event]) -> None:
        for event in events:
            self._forge(event)
            body = body_of(event)
            answer = tried(lambda: self._post(body, signed(event.name, body)))  # noqa: B023
            if answer.status != 202:
                self._refused[event.name] = f"{answer.status} {answer.body}"

    def _forge(self, event: Event) -> None:
        kind = FORGERIES[event.number % len(FORGERIES)]
        body, headers = kind(event)
        status = self._post(body, headers).status
        with self._lock:
            self._forged[status] += 1
            if status < 300:
                self._let_in[event.name] = f"forged by {kind.__name__}, and answered with {status}"

    def _post(self, body: bytes, headers: dict[str, str]) -> Any:
        return call("POST", self._url, body, headers=headers, verify=self._stack.aws.ca)

    def at_work(self) -> int:
        return waiting(self._sqs, self._queue)

    def effects(self) -> Counter[str]:
        pages = self._stack.aws.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self._stack.outputs["PaymentsTable"], ConsistentRead=True)
        return Counter(item["payment_id"]["S"] for page in found for item in page["Items"])

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
        """Forged deliveries that were let in, at the API or further on; or none was refused."""
        print(f"forged or damaged deliveries, by status: {dict(self._forged)}", file=sys.stderr)
        forged = {
            name: "a forged delivery took effect" for name in self.effects() if "forged" in name
        }
        nobody = {} if self._forged[401] else {"no event": "no forged delivery was refused"}
        return {**self._let_in, **forged, **nobody}


def body_of(event: Event) -> bytes:
    """What the provider says of an event, whose name is its id and that of its payment."""
    return json.dumps(fields_of(event, event.name)).encode()


def fields_of(event: Event, payment_id: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": event.name,
        "type": "payment.paid",
        "created": 1_000,
        "data": {"payment_id": payment_id, "amount": 1, "currency": "EUR"},
    }
    return fields | (POISON[event.number % len(POISON)] if event.is_poison else {})


def signed(name: str, body: bytes, value: str = LOCAL_VALUE, away: int = 0) -> dict[str, str]:
    return sign(scheme_of_template(), value, name, body, int(time.time()) + away)


def forged_body(event: Event) -> bytes:
    return json.dumps({**fields_of(event, f"forged-{event.name}"), "forged": True}).encode()


def another_secret(event: Event) -> Request:
    body = forged_body(event)
    return body, signed(event.name, body, OTHER_VALUE)


def another_body(event: Event) -> Request:
    return forged_body(event), signed(event.name, body_of(event))


def one_bit(event: Event) -> Request:
    body = bytearray(body_of(event))
    body[event.number % len(body)] ^= 1 << event.number % 7
    return bytes(body), signed(event.name, body_of(event))


def unsigned(event: Event) -> Request:
    return forged_body(event), {}


def damaged_signature(event: Event) -> Request:
    body = body_of(event)
    headers = signed(event.name, body)
    name = list(headers)[-1]
    return body, headers | {name: headers[name][:-9] + "AAAAAAAA="}


def other_time(event: Event) -> Request:
    body = forged_body(event)
    return body, signed(event.name, body, away=(-1) ** event.number * (600 + event.number))


FORGERIES: tuple[Callable[[Event], Request], ...] = (
    another_secret,
    another_body,
    one_bit,
    unsigned,
    damaged_signature,
    other_time,
)
