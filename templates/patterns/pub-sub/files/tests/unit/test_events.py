"""Records hold events as they were published, as do the samples in events/."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.adapters.event_records import attribute_of, event_in
from service.domain.shipments import EventType, parse_events
from toolkit.runtime.batch import PermanentError
from toolkit.runtime.http import caller_of, correlation_id

EVENTS = Path(__file__).resolve().parents[2] / "events"


def test_sample_request_is_a_valid_event() -> None:
    event = json.loads((EVENTS / "publish.json").read_text("utf-8"))

    [found] = parse_events(event["body"], datetime.now(UTC))

    assert (found.event_id, found.type) == ("event-1", EventType.DELAYED)
    assert correlation_id(event) == "sample"
    assert caller_of(event) == "arn:aws:sts::123456789012:assumed-role/carrier"


@pytest.mark.parametrize("name", ["track", "notify"])
def test_batch_has_the_same_event_and_caller(name: str) -> None:
    [record] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))["Records"]

    assert (event_in(record).event_id, event_in(record).type) == ("event-1", EventType.DELAYED)
    assert attribute_of(record, "caller") == "arn:aws:sts::123456789012:assumed-role/carrier"
    assert attribute_of(record, "correlation_id") == "sample"


def test_sample_that_nobody_wants_is_of_an_unknown_type() -> None:
    [record] = json.loads((EVENTS / "unrouted.json").read_text("utf-8"))["Records"]

    assert attribute_of(record, "type") not in set(EventType)


EVENT = {
    "event_id": "event-1",
    "type": "shipment.sent",
    "shipment_id": "shipment-1",
    "occurred_at": "2026-01-31T09:30:00Z",
}


def record(body: Any, **attributes: str) -> dict[str, Any]:
    given = {name: {"stringValue": value} for name, value in attributes.items()}
    return {"body": body if isinstance(body, str) else json.dumps(body), "messageAttributes": given}


def test_event_and_attributes_are_read_from_a_record() -> None:
    found = record(EVENT, caller="a-caller")

    assert event_in(found).event_id == "event-1"
    assert attribute_of(found, "caller") == "a-caller"
    assert attribute_of(found, "type") == ""


def test_envelope_of_sns_is_refused_and_the_setting_is_named() -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn:topic", "Message": json.dumps(EVENT)}

    with pytest.raises(PermanentError, match="RawMessageDelivery: true"):
        event_in(record(envelope))


@pytest.mark.parametrize("body", ["", "no event", "[]", "[" * 9_999, EVENT | {"more": 1}])
def test_what_is_no_event_fails_for_good(body: Any) -> None:
    with pytest.raises(PermanentError):
        event_in(record(body))
