"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path

import pytest

from service.domain.orders import Order, parse_order
from service.workflow import order_of
from toolkit.runtime.http import caller_of, correlation_id

PROJECT = Path(__file__).resolve().parents[2]
EVENTS = PROJECT / "events"
HANDLERS = sorted((PROJECT / "src/service/handlers").glob("[a-z]*.py"))
STEPS = [path.stem for path in HANDLERS if "service.workflow" in path.read_text("utf-8")]
CALLER = "arn:aws:sts::123456789012:assumed-role/shop"
ORDER = Order(CALLER, "order-1", "teapot", 2, 4_200, "DE")


def test_sample_request_is_a_valid_order() -> None:
    event = json.loads((EVENTS / "start.json").read_text("utf-8"))

    assert parse_order(caller_of(event), event["body"]) == ORDER
    assert correlation_id(event) == "sample"


@pytest.mark.parametrize("step", STEPS)
def test_a_step_gets_the_same_order(step: str) -> None:
    event = json.loads((EVENTS / f"{step}.json").read_text("utf-8"))

    assert order_of(event) == ORDER
    assert event["correlation_id"] == "sample"
