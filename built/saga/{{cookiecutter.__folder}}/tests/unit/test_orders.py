"""What is an order, what is none, and what is refused on its way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.fields import InvalidFieldsError
from service.domain.orders import (
    DELIVERS_TO,
    LARGEST_PAYMENT,
    Order,
    PaymentDeclinedError,
    UndeliverableError,
    check_delivery,
    check_payment,
    parse_order,
)

GOOD = {"order_id": "a", "sku": "b", "quantity": 1, "amount": 1, "country": "DE"}
ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
orders = st.builds(
    Order,
    ids,
    ids,
    st.integers(1, 1_000),
    st.integers(1, 100_000_000),
    st.from_regex(r"\A[A-Z]{2}\Z"),
)


@given(orders)
def test_an_order_survives_the_way_through_the_workflow(order: Order) -> None:
    assert parse_order(json.dumps(order.to_dict())) == order


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("quantity", value) for value in [0, -1, 1_001, 1.5, "1", True, None]),
        *(("amount", value) for value in [0, 100_000_001, 0.5, "1", True]),
        *(("country", value) for value in ["", "de", "DEU", "D1", 1, None]),
        *(("sku", value) for value in ["", " ", "a" * 65, "-a", 1]),
    ],
)
def test_every_field_stays_within_its_bounds(name: str, value: object) -> None:
    with pytest.raises(InvalidFieldsError, match=name):
        parse_order(json.dumps(GOOD | {name: value}))


def test_payments_are_declined_from_a_limit_on() -> None:
    check_payment(Order("a", "b", 1, LARGEST_PAYMENT, "DE"))

    with pytest.raises(PaymentDeclinedError):
        check_payment(Order("a", "b", 1, LARGEST_PAYMENT + 1, "DE"))


def test_what_no_carrier_reaches_is_undeliverable() -> None:
    check_delivery(Order("a", "b", 1, 1, min(DELIVERS_TO)))

    with pytest.raises(UndeliverableError):
        check_delivery(Order("a", "b", 1, 1, "AQ"))
