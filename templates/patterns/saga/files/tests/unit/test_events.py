"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path

from service.domain.orders import Order, parse_order
from service.http import correlation_id
from service.workflow import order_of

EVENTS = Path(__file__).resolve().parents[2] / "events"
ORDER = Order("order-1", "teapot", 2, 4_200, "DE")


def test_the_request_holds_an_order() -> None:
    event = json.loads((EVENTS / "start_order.json").read_text())

    assert parse_order(event["body"]) == ORDER
    assert correlation_id(event) == "sample"


def test_a_step_gets_the_same_order() -> None:
    event = json.loads((EVENTS / "step.json").read_text())

    assert order_of(event) == ORDER
    assert event["correlation_id"] == "sample"
