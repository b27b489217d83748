"""The sample events in events/ are events that the functions understand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.adapters.event_records import attribute_of, event_in
from service.domain.shipments import EventType, parse_events
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
