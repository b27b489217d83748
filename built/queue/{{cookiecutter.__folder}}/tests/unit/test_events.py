"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path

from service.batch import process_batch
from service.domain.orders import Order, parse_order
from service.http import correlation_id

EVENTS = Path(__file__).resolve().parents[2] / "events"


def test_the_request_holds_an_order() -> None:
    event = json.loads((EVENTS / "submit.json").read_text())

    assert parse_order(event["body"]) == Order("order-1", "teapot", 2)
    assert correlation_id(event) == "sample"


def test_the_batch_holds_the_same_order() -> None:
    event = json.loads((EVENTS / "process.json").read_text())
    orders = []

    process_batch(
        event["Records"],
        work=lambda record: orders.append(parse_order(record["body"])),
        set_aside=lambda *_: None,
        max_receive_count=5,
    )

    assert orders == [Order("order-1", "teapot", 2)]
