"""A shipment is stored whole, once per order."""

from typing import Any

import pytest

from service.adapters.shipments import Shipments
from service.domain.orders import Order, Shipment
from toolkit.testing import Trace

ORDER = Order("order-1", "teapot", 2)
SHIPMENT = Shipment("shipment-1", "a-caller", "order-1", "teapot", 2, created_at=1_000)


class Writer:
    """Stands in for the idempotent writer."""

    def __init__(self, first_time: bool) -> None:
        self.first_time = first_time
        self.asked: list[dict[str, Any]] = []

    def write_once(self, **asked: Any) -> bool:
        self.asked.append(asked)
        return self.first_time


def test_every_field_is_stored_under_its_name() -> None:
    writer = Writer(first_time=True)

    Shipments(writer, "shipments").add(ORDER, SHIPMENT)  # type: ignore[arg-type]

    item = {
        "shipment_id": {"S": "shipment-1"},
        "caller": {"S": "a-caller"},
        "order_id": {"S": "order-1"},
        "sku": {"S": "teapot"},
        "quantity": {"N": "2"},
        "created_at": {"N": "1000"},
    }
    assert writer.asked == [
        {
            "key": "a-caller#order-1",
            "content": ORDER.to_json(),
            "effect": [{"Put": {"TableName": "shipments", "Item": item}}],
            "now": 1_000,
        }
    ]


@pytest.mark.parametrize("first_time", [True, False])
def test_answer_says_whether_it_was_stored_now(first_time: bool) -> None:
    shipments = Shipments(Writer(first_time), "shipments")  # type: ignore[arg-type]

    assert shipments.add(ORDER, SHIPMENT) is first_time


def test_storing_is_traced(trace: Trace) -> None:
    Shipments(Writer(first_time=True), "shipments").add(ORDER, SHIPMENT)  # type: ignore[arg-type]

    assert trace == {"## service.adapters.shipments.Shipments.add": {}}
