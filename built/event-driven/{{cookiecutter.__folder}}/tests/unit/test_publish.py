"""Events of the outbox are published, and what the bus does not take is tried again."""

import importlib
import json
from types import ModuleType
from typing import Any

import pytest

from service.adapters.outbox import NotDeletedError, Outbox, OutboxEvent, event_in
from service.domain.surveys import SurveyProcessed
from toolkit.testing import Lines, Measured

SETTINGS = {"EVENT_BUS": "bus", "EVENT_SOURCE": "surveys", "OUTBOX_TABLE": "outbox"}


class Bus:
    """Stands in for the bus."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.refused: dict[str, str] = {}

    def put(self, events: list[tuple[str, str]]) -> dict[int, str]:
        ids = [json.loads(detail)["event_id"] for _, detail in events]
        self.taken += [one for one in ids if one not in self.refused]
        return {ids.index(one): cause for one, cause in self.refused.items() if one in ids}


class Removed:
    """Stands in for the outbox."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def remove(self, events: list[OutboxEvent]) -> None:
        self.ids += [event.event_id for event in events]


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.publish")
    monkeypatch.setattr(module, "bus", Bus())
    monkeypatch.setattr(module, "outbox", Removed())
    return module


def id_of(number: int) -> str:
    return f"{number:032x}"


def record(number: int, detail: str = "", kind: str = "survey.processed") -> dict[str, Any]:
    event = SurveyProcessed(id_of(number), "a.csv", "etag", 2, 7, "message-1")
    image = {
        "event_id": {"S": event.event_id},
        "detail_type": {"S": kind},
        "detail": {"S": detail or event.to_json()},
    }
    return {"dynamodb": {"NewImage": image, "SequenceNumber": str(number)}}


def test_events_are_published_and_leave_the_outbox(
    publish: ModuleType, context: Any, measured: Measured
) -> None:
    answer = publish.handler({"Records": [record(1), record(2)]}, context)

    assert answer == {"batchItemFailures": []}
    assert publish.bus.taken == publish.outbox.ids == [id_of(1), id_of(2)]
    assert measured() == {"EventsPublished": 2}


def test_event_that_the_bus_refuses_stays_and_is_named(
    publish: ModuleType, context: Any, measured_by_version: Measured, lines: Lines
) -> None:
    publish.bus.refused = {id_of(2): "ThrottlingException: later", id_of(3): "InternalFailure: -"}

    answer = publish.handler({"Records": [record(n) for n in (1, 2, 3, 4)]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert publish.outbox.ids == [id_of(1), id_of(4)]
    assert measured_by_version() == {"MessagesTaken": 4, "MessagesFailed": 2}
    assert "ThrottlingException: later" in {line.get("cause") for line in lines()}


@pytest.mark.parametrize(
    "bad", [record(2, detail="{}"), record(2, detail="{"), record(2, kind="survey.unknown")]
)
def test_invalid_event_is_not_published_and_what_precedes_it_is(
    publish: ModuleType, context: Any, bad: dict[str, Any]
) -> None:
    answer = publish.handler({"Records": [record(1), bad, record(3)]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert publish.bus.taken == publish.outbox.ids == [id_of(1)]


def test_when_the_bus_fails_all_are_tried_again(
    publish: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("down")

    monkeypatch.setattr(publish.bus, "put", fail)

    answer = publish.handler({"Records": [record(1), record(2)]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert publish.outbox.ids == []


class Dynamo:
    """Stands in for DynamoDB."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def batch_write_item(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return self.answer


def test_each_published_event_is_deleted_once() -> None:
    dynamodb = Dynamo()
    events = [event_in(record(number)) for number in (1, 2, 1)]

    Outbox(dynamodb, "outbox").remove(events)  # type: ignore[arg-type]

    [asked] = dynamodb.asked
    assert asked["RequestItems"] == {
        "outbox": [
            {"DeleteRequest": {"Key": {"event_id": {"S": id_of(number)}}}} for number in (1, 2)
        ]
    }


def test_what_dynamodb_left_is_an_error() -> None:
    dynamodb = Dynamo(UnprocessedItems={"outbox": [{}]})

    with pytest.raises(NotDeletedError):
        Outbox(dynamodb, "outbox").remove([event_in(record(1))])  # type: ignore[arg-type]
