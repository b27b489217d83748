"""A record holds the event as it was published, or says what is wrong."""

import json
from typing import Any

import pytest

from service.adapters.event_records import attribute_of, event_in
from toolkit.runtime.batch import PermanentError

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
