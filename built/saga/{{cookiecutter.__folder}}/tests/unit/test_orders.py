"""What is an order, what is none, and what is refused on its way."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from toolkit.runtime.fields import InvalidFieldsError

GOOD = {"order_id": "a", "sku": "b", "quantity": 1, "amount": 1, "country": "DE"}
ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
orders = st.builds(
    Order,
    st.text(),
    ids,
    ids,
    st.integers(1, 1_000),
    st.integers(1, 100_000_000),
    st.from_regex(r"\A[A-Z]{2}\Z"),
)


@given(orders)
def test_order_is_the_same_in_the_workflow(order: Order) -> None:
    fields = order.to_dict()
    caller = fields.pop("caller")

    assert parse_order(caller, json.dumps(fields)) == order


@given(orders)
def test_order_key_is_a_valid_execution_name(order: Order) -> None:
    """StartExecution takes names of 1 to 80 characters; logs want no others than these."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", order.key)
    assert order.key.startswith(order.order_id)


def test_two_callers_have_their_own_order_ids() -> None:
    keys = {Order(caller, "a", "b", 1, 1, "DE").key for caller in ("shop", "other", "shop")}

    assert len(keys) == 2


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
        parse_order("caller", json.dumps(GOOD | {name: value}))


def test_payments_above_a_limit_are_declined() -> None:
    check_payment(Order("caller", "a", "b", 1, LARGEST_PAYMENT, "DE"))

    with pytest.raises(PaymentDeclinedError):
        check_payment(Order("caller", "a", "b", 1, LARGEST_PAYMENT + 1, "DE"))


def test_unreachable_country_is_undeliverable() -> None:
    check_delivery(Order("caller", "a", "b", 1, 1, min(DELIVERS_TO)))

    with pytest.raises(UndeliverableError):
        check_delivery(Order("caller", "a", "b", 1, 1, "AQ"))
