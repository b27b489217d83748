"""What a fault campaign sends to the API, and sees of it. Not for projects."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from proofs.inside.campaign_plan import Event, tried
from scripts.callers import caller
from toolkit.local_aws.stack import Stack
from toolkit.signed_request import Answer

# What a campaign must find: tests/proofs/faults.py breaks it, and reads these lines only.
BREAKAGES = {
    "a change does not ask for the version": {
        "file": "src/service/adapters/products/rows.py",
        "sound": 'return "#version = :seen"',
        "faulty": 'return ":seen = :seen"',
        "events": 100,
        "seed": 1,
    },
    "the record of a key is no condition": {
        "file": "toolkit/runtime/idempotency.py",
        "sound": "attribute_not_exists(id) OR",
        "faulty": "attribute_not_exists(id) OR attribute_exists(id) OR",
        "events": 100,
        "seed": 1,
    },
}
# A caller that is not answered gives up after so many tries, and comes back when all is well.
TRIES = 5
INSIDE = ("Traceback", "arn:aws", "dynamodb", "service.", "Lambda")


class Campaign:
    """An event is a product that is created; every other one is then changed, once."""

    # A request is answered when it is done: there are as many at work as there are callers.
    chunk, at_once = 1, 1

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None:
        self._stack = stack
        self._call = caller(stack)
        self._events = {event.name: event for event in events}
        self._causes: dict[str, str] = {}
        self._leaks: dict[str, str] = {}
        # Events whose change was answered with 200, once for each such answer.
        self._changed: list[str] = []

    def send(self, events: Sequence[Event]) -> None:
        for event in events:
            answer = self._ask(event, "POST", "/products", 0, idempotency_key=key_of(event))
            if answer.status == 201 and is_changed(event.name):
                path = f"/products/{answer.json['id']}"
                answer = self._ask(event, "PUT", path, 1, if_match='"1"')
                self._changed += [event.name] * (answer.status == 200)
            # 412: it has been changed already. If it has not, no effect will be found.
            if answer.status in (200, 201, 412):
                self._causes.pop(event.name, None)
            else:
                self._causes[event.name] = f"{answer.status} {answer.body}"

    def _ask(self, event: Event, method: str, path: str, quantity: int, **headers: str) -> Answer:
        content = json.dumps(
            {"name": event.name, "quantity": -1 if is_no_product(event) else quantity}
        )
        answer = tried(lambda: self._call(method, path, content, **headers), TRIES)
        # What is not answered by a function is API Gateway's answer.
        if answer.status < 500 and any(word in answer.body for word in INSIDE):
            self._leaks[event.name] = f"the answer tells of our insides: {answer.body}"
        return answer

    def at_work(self) -> int:
        return 0

    def effects(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for product in self._products():
            name, version = product["name"]["S"], int(product["version"]["N"])
            found[name] += version - 1 if is_changed(name) else version
        return found

    def failures(self) -> dict[str, str]:
        return dict(self._causes)

    def redrive(self) -> None:
        self.send([self._events[name] for name in list(self._causes)])

    def contradictions(self) -> dict[str, str]:
        contents = {
            product["name"]["S"]: f"has a content that is not its own: {product}"
            for product in self._products()
            if int(product["quantity"]["N"]) != int(product["version"]["N"]) - 1
        }
        changes = {
            name: f"{often} callers were told that they changed the first version"
            for name, often in Counter(self._changed).items()
            if often > 1
        }
        return self._leaks | contents | changes

    def _products(self) -> Iterator[dict[str, dict[str, str]]]:
        pages = self._stack.aws.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(
            TableName=self._stack.outputs["ProductsTable"], ConsistentRead=True
        ):
            yield from page["Items"]


def is_changed(name: str) -> bool:
    """Whether an event is a change as well."""
    return int(name.rpartition("-")[2]) % 2 == 1


def is_no_product(event: Event) -> bool:
    """Whether an event is poison by its content. Other poison has no proper key."""
    return event.is_poison and event.number % 4 < 2


def key_of(event: Event) -> str:
    """The caller's key: the same for the same event."""
    return f"key-of-{event.name:->12}" if is_no_product(event) or not event.is_poison else "short"
