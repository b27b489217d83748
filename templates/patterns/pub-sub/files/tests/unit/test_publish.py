"""The API publishes what is an event, and says what is wrong with the rest."""

import importlib
import json
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.event_topic import NotPublishedError
from service.domain.shipments import ShipmentEvent
from toolkit.testing import Lines, Measured

EVENT = {
    "event_id": "event-1",
    "type": "shipment.sent",
    "shipment_id": "marked",
    "occurred_at": "2026-01-31T09:30:00Z",
}
CALLER = "arn:aws:sts::123456789012:assumed-role/carrier"


class Topic:
    """Stands in for the topic."""

    def __init__(self) -> None:
        self.published: list[tuple[str, list[str], str]] = []

    def publish(self, caller: str, events: Sequence[ShipmentEvent], correlation: str) -> None:
        self.published.append((caller, [event.event_id for event in events], correlation))


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("TOPIC_ARN", "arn:topic")
    module = importlib.import_module("service.handlers.publish")
    monkeypatch.setattr(module, "topic", Topic())
    return module


def request(body: Any) -> dict[str, Any]:
    return {
        "body": None if body is None else json.dumps(body),
        "headers": {"X-Correlation-Id": "abc"},
        "requestContext": {"requestId": "request", "identity": {"userArn": f"{CALLER}/session"}},
    }


@pytest.mark.parametrize("count", [1, 10])
def test_valid_events_are_published(
    publish: ModuleType, context: Any, measured: Measured, count: int
) -> None:
    ids = [f"event-{place}" for place in range(count)]
    given = [EVENT | {"event_id": event_id} for event_id in ids]

    response = publish.handler(request(given if count > 1 else given[0]), context)

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"event_ids": ids, "status": "accepted"}
    assert publish.topic.published == [(CALLER, ids, "abc")]
    assert measured() == {"MessagesPublished": count}


@pytest.mark.parametrize("body", [None, [], [EVENT, EVENT | {"type": "other"}]])
def test_invalid_events_get_400_and_none_is_published(
    publish: ModuleType, context: Any, measured: Measured, body: Any
) -> None:
    response = publish.handler(request(body), context)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"]
    assert publish.topic.published == []
    assert measured() == {}


@pytest.mark.parametrize(
    "error",
    [
        NotPublishedError({"event-1": "InternalError"}),
        ClientError({"Error": {"Code": "Throttled"}}, "PublishBatch"),
    ],
    ids=["an event failed", "throttled"],
)
def test_what_sns_does_not_take_now_gets_503_with_retry_after(
    publish: ModuleType,
    context: Any,
    measured: Measured,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(publish.topic, "publish", fail)

    response = publish.handler(request(EVENT), context)

    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) >= 1
    assert measured() == {"Unavailable": 1}


@pytest.mark.parametrize(
    "error",
    [KeyError("a bug"), ClientError({"Error": {"Code": "AuthorizationError"}}, "PublishBatch")],
    ids=["a bug", "a right is missing"],
)
def test_other_errors_are_raised_for_the_alarm(
    publish: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(publish.topic, "publish", fail)

    with pytest.raises(type(error)):
        publish.handler(request(EVENT), context)


def test_log_has_the_ids_and_not_the_content(
    publish: ModuleType, context: Any, lines: Lines
) -> None:
    publish.handler(request(EVENT), context)

    assert "abc" in {line.get("correlation_id") for line in lines()}
    assert ["event-1"] in [line.get("event_ids") for line in lines()]
    assert "marked" not in str(lines())
