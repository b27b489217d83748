"""The newest status of each shipment is kept, in whichever order events arrive."""

import importlib
import json
from itertools import permutations
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from service.adapters.event_records import event_in
from service.adapters.shipments import Shipments
from toolkit.testing import AwsAnswers, Measured, Trace

STORED = {"SHIPMENTS_TABLE": "t", "DEAD_LETTER_QUEUE_URL": "https://d", "MAX_RECEIVE_COUNT": "5"}


class DynamoDb:
    """Stands in for the table, as far as the condition goes."""

    def __init__(self) -> None:
        self.item: dict[str, Any] = {}

    def put_item(self, **asked: Any) -> None:
        item, old = asked["Item"], self.item
        assert asked["ConditionExpression"] == (
            "attribute_not_exists(shipment_id) OR occurred_at < :time"
            " OR (occurred_at = :time AND event_id < :event)"
        )
        values = asked["ExpressionAttributeValues"]
        assert values == {":time": item["occurred_at"], ":event": item["event_id"]}
        if old and age(item) <= age(old):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        self.item = item


def age(item: dict[str, Any]) -> tuple[int, str]:
    return int(item["occurred_at"]["N"]), item["event_id"]["S"]


@pytest.fixture
def track(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in STORED.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.track")
    monkeypatch.setattr(module, "shipments", Shipments(DynamoDb(), "t"))  # type: ignore[arg-type]
    return module


def record(event_id: str, kind: str = "sent", hour: int = 9) -> dict[str, Any]:
    body = {
        "event_id": event_id,
        "type": f"shipment.{kind}",
        "shipment_id": "shipment-1",
        "occurred_at": f"2026-01-31T{hour:02}:00:00Z",
    }
    received = {"ApproximateReceiveCount": "1"}
    return {"messageId": event_id, "body": json.dumps(body), "attributes": received}


EVENTS = [record("c", "sent", 9), record("a", "delayed", 12), record("b", "delivered", 12)]


@pytest.mark.parametrize("order", [*permutations(EVENTS)])
def test_newest_event_wins_in_whichever_order(
    track: ModuleType, context: Any, order: tuple[dict[str, Any], ...]
) -> None:
    """Two of them are at the same moment: the greater id wins."""
    assert track.handler({"Records": list(order)}, context) == {"batchItemFailures": []}

    assert track.shipments._dynamodb.item["status"] == {"S": "delivered"}


def test_repeated_event_changes_nothing(
    track: ModuleType, context: Any, measured: Measured
) -> None:
    track.handler({"Records": [EVENTS[0], EVENTS[0]]}, context)

    assert measured() == {"MessagesProcessed": 1, "OutdatedMessages": 1}


def test_invalid_event_goes_to_the_dead_letter_queue(
    track: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(track, "send_dead_letter", lambda _, cause: aside.append(cause))

    answer = track.handler({"Records": [record("a") | {"body": "poison"}, record("b")]}, context)

    assert answer == {"batchItemFailures": []}
    assert aside == ["PermanentError: the body must be JSON"]
    assert measured() == {"MessagesProcessed": 1, "MessagesDeadLettered": 1}


def test_message_stays_in_the_queue_when_time_runs_out(
    track: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 7_000)

    answer = track.handler({"Records": [record("a")]}, context)

    assert len(answer["batchItemFailures"]) == 1


def test_every_field_is_stored_under_its_name(aws_answers: AwsAnswers, trace: Trace) -> None:
    asked = aws_answers({"PutItem": [{}]})
    event = event_in(record("event-1"))

    assert Shipments(boto3.client("dynamodb", region_name="eu-west-1"), "t").update(event)

    assert asked[0][1]["Item"] == {
        "shipment_id": {"S": "shipment-1"},
        "status": {"S": "sent"},
        "occurred_at": {"N": "1769850000000000"},
        "event_id": {"S": "event-1"},
    }
    assert trace == {"## service.adapters.shipments.Shipments.update": {}}


def test_other_errors_are_raised(monkeypatch: pytest.MonkeyPatch, track: ModuleType) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    monkeypatch.setattr(track.shipments._dynamodb, "put_item", fail)

    with pytest.raises(ClientError, match="Throttling"):
        track.track_shipment(record("a"))
