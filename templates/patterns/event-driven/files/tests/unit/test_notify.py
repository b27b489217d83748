"""Each event has one notification."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.notifications import Notifications
from service.domain.surveys import SurveyProcessed
from toolkit.testing import Lines, Measured, Trace

SETTINGS = {
    "NOTIFICATIONS_TABLE": "notifications",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "MAX_RECEIVE_COUNT": "5",
}
EVENT = SurveyProcessed("0" * 32, "a.csv", "etag", 2, 7, "message-1")


class Dynamo:
    """Stands in for DynamoDB: a table with conditional writes."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}

    def put_item(self, TableName: str, Item: Any, ConditionExpression: str) -> None:  # noqa: N803
        assert TableName == "notifications"
        assert ConditionExpression == "attribute_not_exists(event_id)"
        if Item["event_id"]["S"] in self.items:
            error: Any = {"Error": {"Code": "ConditionalCheckFailedException"}}
            raise ClientError(error, "PutItem")
        self.items[Item["event_id"]["S"]] = Item


@pytest.fixture
def notify(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.notify")
    monkeypatch.setattr(module, "dynamo", Dynamo(), raising=False)
    monkeypatch.setattr(module, "notifications", Notifications(module.dynamo, "notifications"))
    return module


def record(detail: str = EVENT.to_json()) -> dict[str, Any]:
    body = {"source": "surveys", "detail-type": "survey.processed", "detail": json.loads(detail)}
    return {
        "messageId": "message-2",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def test_event_is_notified_once(notify: ModuleType, context: Any, measured: Measured) -> None:
    event = {"Records": [record(), record()]}

    assert notify.handler(event, context) == {"batchItemFailures": []}

    [item] = notify.dynamo.items.values()
    assert item.pop("created_at").keys() == {"N"}
    assert item == {
        "event_id": {"S": EVENT.event_id},
        "object_key": {"S": "a.csv"},
        "lines": {"N": "2"},
        "total": {"N": "7"},
    }
    assert measured() == {"MessagesProcessed": 1, "DuplicateMessages": 1}


@pytest.mark.parametrize("body", ["{", "{}", '{"detail": {"event_id": 1}}', "[]"])
def test_what_is_no_event_goes_to_the_dead_letter_queue(
    notify: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(notify, "send_dead_letter", lambda _, cause: aside.append(cause))

    notify.handler({"Records": [record() | {"body": body}, record()]}, context)

    [cause] = aside
    assert cause.startswith("PermanentError: not an event")
    assert len(notify.dynamo.items) == 1


def test_message_stays_in_the_queue_when_time_runs_out(
    notify: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 7_000)

    assert len(notify.handler({"Records": [record()]}, context)["batchItemFailures"]) == 1
    assert notify.dynamo.items == {}


def test_correlation_id_of_the_upload_is_on_its_lines(
    notify: ModuleType, context: Any, lines: Lines
) -> None:
    notify.handler({"Records": [record()]}, context)

    [line] = [line for line in lines() if line["message"] == "notified"]
    assert line["correlation_id"] == "message-1"


def test_storing_is_traced(notify: ModuleType, trace: Trace) -> None:
    notify.notifications.add(EVENT, 1_000)

    assert trace == {"## service.adapters.notifications.Notifications.add": {}}
