"""What is an order, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.orders import LARGEST_QUANTITY, InvalidOrderError, Order, parse_order, ship

ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
orders = st.builds(Order, ids, ids, st.integers(1, LARGEST_QUANTITY))


@given(orders)
def test_an_order_survives_the_way_through_the_queue(order: Order) -> None:
    assert parse_order(order.to_json()) == order


def test_the_same_order_always_gives_the_same_text() -> None:
    """Its fingerprint tells a repeated order from another one under the same id."""
    text = Order(sku="teapot", quantity=2, order_id="order-1").to_json()

    assert text == '{"order_id": "order-1", "quantity": 2, "sku": "teapot"}'


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps),
    )
)
def test_anything_else_is_refused_with_a_reason(text: str | None) -> None:
    with pytest.raises(InvalidOrderError) as caught:
        parse_order(text)

    assert caught.value.problems


@given(
    st.dictionaries(
        st.sampled_from(["order_id", "sku", "quantity", "more"]), st.integers() | st.text()
    )
)
def test_an_object_is_an_order_or_every_problem_is_named(fields: dict[str, int | str]) -> None:
    try:
        order = parse_order(json.dumps(fields))
    except InvalidOrderError as error:
        named = " ".join(error.problems)
        assert all(name in named for name in {"order_id", "sku", "quantity"} - fields.keys())
        assert all(repr(name) in named for name in fields.keys() - {"order_id", "sku", "quantity"})
    else:
        assert json.loads(order.to_json()) == fields


@pytest.mark.parametrize("quantity", [0, -1, LARGEST_QUANTITY + 1, 1.0, "1", True, None])
def test_a_quantity_is_a_whole_number_within_bounds(quantity: object) -> None:
    with pytest.raises(InvalidOrderError, match="quantity"):
        parse_order(json.dumps({"order_id": "a", "sku": "b", "quantity": quantity}))


def test_json_too_deep_for_the_parser_is_refused() -> None:
    with pytest.raises(InvalidOrderError):
        parse_order("[" * 100_000)


def test_a_shipment_holds_what_was_ordered() -> None:
    shipment = ship(Order("order-1", "teapot", 2), shipment_id="shipment-1", now=1_000)

    assert (shipment.order_id, shipment.sku, shipment.quantity) == ("order-1", "teapot", 2)
    assert (shipment.shipment_id, shipment.created_at) == ("shipment-1", 1_000)
