"""Each delay has one notification."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.adapters.notifications import Notifications
from service.domain.shipments import Notification, ShipmentEvent
from toolkit.runtime.idempotency import KeyReusedError
from toolkit.testing import Measured, Trace

SETTINGS = {
    "NOTIFICATIONS_TABLE": "notifications",
    "IDEMPOTENCY_TABLE": "idempotency",
    "IDEMPOTENCY_DAYS": "60",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "MAX_RECEIVE_COUNT": "5",
}


class Writer:
    """Stands in for the idempotent writer."""

    def __init__(self) -> None:
        self.asked: dict[str, dict[str, Any]] = {}

    def write_once(self, key: str, **asked: Any) -> bool:
        first = self.asked.setdefault(key, asked)
        if first["content"] != asked["content"]:
            raise KeyReusedError(key)
        return first is asked


@pytest.fixture
def notify(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.notify")
    monkeypatch.setattr(module, "writer", Writer(), raising=False)
    monkeypatch.setattr(module, "notifications", Notifications(module.writer, "notifications"))
    return module


def record(event_id: str, kind: str = "delayed", caller: str = "a", **more: str) -> dict[str, Any]:
    body = {
        "event_id": event_id,
        "type": f"shipment.{kind}",
        "shipment_id": "shipment-1",
        "occurred_at": "2026-01-31T09:30:00Z",
    }
    return {
        "messageId": event_id,
        "body": json.dumps(body | more),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {"caller": {"stringValue": caller, "dataType": "String"}},
    }


def test_each_delay_is_notified_once(notify: ModuleType, context: Any, measured: Measured) -> None:
    event = {"Records": [record("a"), record("b"), record("a")]}

    assert notify.handler(event, context) == {"batchItemFailures": []}
    assert notify.writer.asked.keys() == {"notify#a#a", "notify#a#b"}
    assert measured() == {"MessagesProcessed": 2, "DuplicateMessages": 1}


def test_each_caller_has_its_own_event_ids(notify: ModuleType, context: Any) -> None:
    notify.handler({"Records": [record("a", caller="1"), record("a", caller="2")]}, context)

    assert notify.writer.asked.keys() == {"notify#1#a", "notify#2#a"}


def test_type_that_a_changed_filter_still_lets_through_is_ignored(
    notify: ModuleType, context: Any, measured: Measured
) -> None:
    assert notify.handler({"Records": [record("a", "sent")]}, context) == {"batchItemFailures": []}
    assert notify.writer.asked == {}
    assert measured() == {}


def test_different_event_with_a_used_id_goes_to_the_dead_letter_queue(
    notify: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(notify, "send_dead_letter", lambda _, cause: aside.append(cause))

    notify.handler({"Records": [record("a"), record("a", shipment_id="other")]}, context)

    assert aside == ["PermanentError: notify#a#a"]


def test_message_stays_in_the_queue_when_time_runs_out(
    notify: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 7_000)

    answer = notify.handler({"Records": [record("a")]}, context)

    assert len(answer["batchItemFailures"]) == 1
    assert notify.writer.asked == {}


def test_every_field_is_stored_under_its_name(
    notify: ModuleType, context: Any, trace: Trace
) -> None:
    event: ShipmentEvent = notify.event_in(record("event-1"))
    notification = Notification("notification-1", "a", "event-1", "shipment-1", created_at=1_000)

    assert notify.notifications.add(event, notification)

    item = {
        "notification_id": {"S": "notification-1"},
        "caller": {"S": "a"},
        "event_id": {"S": "event-1"},
        "shipment_id": {"S": "shipment-1"},
        "created_at": {"N": "1000"},
    }
    assert notify.writer.asked["notify#a#event-1"] == {
        "content": event.to_json(),
        "effect": [{"Put": {"TableName": "notifications", "Item": item}}],
        "now": 1_000,
    }
    assert trace == {"## service.adapters.notifications.Notifications.add": {}}
