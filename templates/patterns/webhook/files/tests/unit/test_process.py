"""The worker stores each event of a batch once."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.adapters.payments import Outcome
from service.domain.deliveries import Delivery
from service.domain.payments import Payment
from toolkit.testing import Lines, Measured, Trace


class Payments:
    """Stands in for the table."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.by_id: dict[str, Payment] = {}

    def store(self, delivery: Delivery, payment: Payment, _: int) -> Outcome:
        if delivery.delivery_id in self.seen:
            return Outcome.DUPLICATE
        earlier = self.by_id.get(payment.payment_id)
        if earlier and earlier.position >= payment.position:
            return Outcome.OUTDATED
        self.seen.add(delivery.delivery_id)
        self.by_id[payment.payment_id] = payment
        return Outcome.STORED


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in {
        "PAYMENTS_TABLE": "payments",
        "IDEMPOTENCY_TABLE": "idempotency",
        "IDEMPOTENCY_DAYS": "60",
        "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
        "MAX_RECEIVE_COUNT": "5",
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.process")
    monkeypatch.setattr(module, "payments", Payments())
    return module


def record(body: bytes, delivery_id: str = "a", event: str = "") -> dict[str, Any]:
    return {
        "messageId": delivery_id,
        "body": Delivery(delivery_id, "application/json", event, body).to_json(),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
    }


def event(payment_id: str, kind: str = "payment.paid", created: int = 1) -> bytes:
    data = {"payment_id": payment_id, "amount": 1, "currency": "EUR", "note": "marked"}
    return json.dumps({"type": kind, "created": created, "data": data}).encode()


def test_every_event_of_a_batch_is_stored(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    records = [record(event("one"), "a"), record(event("two"), "b")]

    assert process.handler({"Records": records}, context) == {"batchItemFailures": []}
    assert process.payments.by_id.keys() == {"one", "two"}
    assert measured() == {"EventsStored": 2}


def test_duplicate_and_outdated_events_change_nothing(
    process: ModuleType, context: Any, measured: Measured
) -> None:
    refunded = record(event("one", "payment.refunded", created=5), "a")
    paid_before = record(event("one", created=3), "b")

    process.handler({"Records": [refunded, refunded, paid_before]}, context)

    assert process.payments.by_id["one"].status == "refunded"
    assert measured() == {"EventsStored": 1, "DuplicateEvents": 1, "OutdatedEvents": 1}


@pytest.mark.parametrize(
    ("body", "named"),
    [(b'{"type": "invoice.sent"}', ""), (b'{"zen": "x"}', "ping"), (b"{}", "")],
    ids=["unknown", "GitHub's ping", "no type at all"],
)
def test_other_types_are_ignored_and_counted(
    process: ModuleType, context: Any, measured: Measured, body: bytes, named: str
) -> None:
    answer = process.handler({"Records": [record(body, event=named)]}, context)

    assert answer == {"batchItemFailures": []}
    assert process.payments.by_id == {}
    assert measured() == {"EventsIgnored": 1}


def test_invalid_event_goes_to_the_dead_letter_queue(
    process: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(process, "send_dead_letter", lambda _, cause: aside.append(cause))
    records = [
        record(b"marked"),
        record(b'{"type": "payment.paid"}'),
        record(event("one")) | {"body": "no delivery"},
        record(event("two"), "b"),
    ]

    assert process.handler({"Records": records}, context) == {"batchItemFailures": []}
    assert aside == [
        "PermanentError: the payload must be JSON",
        "PermanentError: Object missing required field `created`",
        "PermanentError: the body must be JSON",
    ]
    assert process.payments.by_id.keys() == {"two"}
    assert measured() == {"EventsStored": 1, "MessagesDeadLettered": 3}


def test_message_stays_in_the_queue_when_time_runs_out(
    process: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_little = process.LONGEST_CALL_SECONDS * 1_000
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: too_little)

    answer = process.handler({"Records": [record(event("one"))]}, context)

    assert len(answer["batchItemFailures"]) == 1
    assert process.payments.by_id == {}


def test_log_has_the_id_and_not_the_content(
    process: ModuleType, context: Any, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "send_dead_letter", lambda *_: None)
    records = [
        record(event("one"), "delivery-1"),
        record(event("one"), "delivery-1"),
        record(b"marked", "delivery-2"),
        record(b'{"type": "payment.paid", "created": "marked"}', "delivery-3"),
    ]

    process.handler({"Records": records}, context)

    assert "delivery-1" in {line.get("delivery_id") for line in lines()}
    assert "marked" not in str(lines())


def test_each_event_is_traced(process: ModuleType, context: Any, trace: Trace) -> None:
    process.handler({"Records": [record(event("one"))]}, context)

    assert trace == {"## handler": {}, "## service.handlers.process.store_event": {}}
