"""What is an order, what is none, and what is refused on its way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.orders import (
    DELIVERS_TO,
    LARGEST_AMOUNT,
    LARGEST_PAYMENT,
    LARGEST_QUANTITY,
    InvalidOrderError,
    Order,
    PaymentDeclinedError,
    UndeliverableError,
    check_delivery,
    check_payment,
    parse_order,
)

NAMES = ["order_id", "sku", "quantity", "amount", "country"]
GOOD = {"order_id": "a", "sku": "b", "quantity": 1, "amount": 1, "country": "DE"}
ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
orders = st.builds(
    Order,
    ids,
    ids,
    st.integers(1, LARGEST_QUANTITY),
    st.integers(1, LARGEST_AMOUNT),
    st.from_regex(r"\A[A-Z]{2}\Z"),
)


@given(orders)
def test_an_order_survives_the_way_through_the_workflow(order: Order) -> None:
    assert parse_order(json.dumps(order.to_dict())) == order


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


@given(st.dictionaries(st.sampled_from([*NAMES, "more"]), st.integers() | st.text()))
def test_an_object_is_an_order_or_every_problem_is_named(fields: dict[str, int | str]) -> None:
    try:
        order = parse_order(json.dumps(fields))
    except InvalidOrderError as error:
        named = " ".join(error.problems)
        assert all(name in named for name in {*NAMES, *fields} - (fields.keys() & NAMES))
    else:
        assert order.to_dict() == fields


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("quantity", value) for value in [0, -1, LARGEST_QUANTITY + 1, 1.0, "1", True, None]),
        *(("amount", value) for value in [0, LARGEST_AMOUNT + 1, 0.5, "1", True]),
        *(("country", value) for value in ["", "de", "DEU", "D1", 1, None]),
        *(("sku", value) for value in ["", " ", "a" * 65, "-a", 1]),
    ],
)
def test_every_field_stays_within_its_bounds(name: str, value: object) -> None:
    with pytest.raises(InvalidOrderError, match=name):
        parse_order(json.dumps(GOOD | {name: value}))


def test_json_too_deep_for_the_parser_is_refused() -> None:
    with pytest.raises(InvalidOrderError):
        parse_order("[" * 100_000)


def test_payments_are_declined_from_a_limit_on() -> None:
    check_payment(Order("a", "b", 1, LARGEST_PAYMENT, "DE"))

    with pytest.raises(PaymentDeclinedError):
        check_payment(Order("a", "b", 1, LARGEST_PAYMENT + 1, "DE"))


def test_what_no_carrier_reaches_is_undeliverable() -> None:
    check_delivery(Order("a", "b", 1, 1, min(DELIVERS_TO)))

    with pytest.raises(UndeliverableError):
        check_delivery(Order("a", "b", 1, 1, "AQ"))
