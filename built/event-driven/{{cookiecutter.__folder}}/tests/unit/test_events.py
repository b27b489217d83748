"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path
from typing import Any

from service.adapters.bus_events import detail_in
from service.adapters.outbox import event_in
from service.adapters.upload_events import upload_in
from service.domain.surveys import check_event, parse_processed

EVENTS = Path(__file__).resolve().parents[2] / "events"


def sample(name: str) -> Any:
    [record] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))["Records"]
    return record


def test_sample_of_process_is_the_event_of_a_new_object() -> None:
    upload = upload_in(sample("process")["body"])

    assert upload.key == "north/survey 1.csv"
    assert upload.etag


def test_sample_of_publish_is_an_event_of_the_outbox() -> None:
    event = event_in(sample("publish"))

    check_event(event.detail_type, event.detail)


def test_sample_of_notify_is_the_same_event_from_the_bus() -> None:
    there = event_in(sample("publish")).detail

    assert detail_in(sample("notify")) == parse_processed(there.encode())
