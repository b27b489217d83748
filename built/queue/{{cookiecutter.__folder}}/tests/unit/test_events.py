"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path

from service.domain.orders import Order, parse_order
from toolkit.runtime.batch import process_batch
from toolkit.runtime.http import caller_of, correlation_id

EVENTS = Path(__file__).resolve().parents[2] / "events"


def test_sample_request_is_a_valid_order() -> None:
    event = json.loads((EVENTS / "submit.json").read_text("utf-8"))

    assert parse_order(event["body"]) == Order("order-1", "teapot", 2)
    assert correlation_id(event) == "sample"
    assert caller_of(event) == "arn:aws:sts::123456789012:assumed-role/shop"


def test_batch_has_the_same_order() -> None:
    event = json.loads((EVENTS / "process.json").read_text("utf-8"))
    orders = []

    process_batch(
        event["Records"],
        work=lambda record: orders.append(parse_order(record["body"])),
        send_dead_letter=lambda *_: None,
        max_receive_count=5,
        has_time=lambda: True,
    )

    assert orders == [Order("order-1", "teapot", 2)]


def test_batch_has_receive_count_and_caller() -> None:
    [record] = json.loads((EVENTS / "process.json").read_text("utf-8"))["Records"]

    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["correlation_id"]["stringValue"] == "sample"
    assert record["messageAttributes"]["caller"]["stringValue"] == (
        "arn:aws:sts::123456789012:assumed-role/shop"
    )
