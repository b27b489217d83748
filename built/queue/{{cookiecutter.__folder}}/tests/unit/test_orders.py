"""What is an order, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.orders import Order, parse_order, ship
from toolkit.runtime.fields import InvalidFieldsError

ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
orders = st.builds(Order, ids, ids, st.integers(1, 1_000))


@given(orders)
def test_order_is_the_same_after_the_queue(order: Order) -> None:
    assert parse_order(order.to_json()) == order


def test_same_order_gives_the_same_text() -> None:
    """Its fingerprint tells a repeated order from another one under the same id."""
    text = Order(sku="teapot", quantity=2, order_id="order-1").to_json()

    assert text == '{"order_id": "order-1", "quantity": 2, "sku": "teapot"}'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("order_id", value) for value in ["", " ", "-a", "a" * 65, 1, None]),
        *(("sku", value) for value in ["", "a/b", "a" * 65, 1]),
        *(("quantity", value) for value in [0, -1, 1_001, 0.5, "1", True, None]),
    ],
)
def test_every_field_stays_within_its_bounds(name: str, value: object) -> None:
    good = {"order_id": "a", "sku": "b", "quantity": 1}

    with pytest.raises(InvalidFieldsError, match=name):
        parse_order(json.dumps(good | {name: value}))


def test_shipment_has_the_goods_of_its_order() -> None:
    shipment = ship("caller", Order("order-1", "teapot", 2), shipment_id="shipment-1", now=1_000)

    assert shipment.caller == "caller"
    assert (shipment.order_id, shipment.sku, shipment.quantity) == ("order-1", "teapot", 2)
    assert (shipment.shipment_id, shipment.created_at) == ("shipment-1", 1_000)
