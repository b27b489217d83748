"""What an event says about a payment, and in which order events count."""

import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.deliveries import Delivery
from service.domain.payments import HANDLED, InvalidEventError, Payment, payment_after, type_of

EVENT: dict[str, Any] = {
    "type": "payment.paid",
    "created": 1_000,
    "data": {"payment_id": "payment-1", "amount": 1250, "currency": "EUR"},
}


def delivery(body: bytes, content_type: str = "application/json", event: str = "") -> Delivery:
    return Delivery("delivery-1", content_type, event, body)


def of(**fields: Any) -> Delivery:
    return delivery(json.dumps({**EVENT, **fields}).encode())


def test_payment_is_as_its_event_says() -> None:
    given = of(new_field="ignored")

    assert type_of(given) == "payment.paid"
    expected = Payment("payment-1", "paid", 1250, "EUR", position=100_000)
    assert payment_after(given, "payment.paid") == expected


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_read_whatever_its_parameters(content_type: str) -> None:
    assert type_of(delivery(json.dumps(EVENT).encode(), content_type)) == "payment.paid"


def test_payload_of_a_form_is_read() -> None:
    """GitHub sends a form unless a webhook is set to JSON."""
    body = urlencode({"payload": json.dumps(EVENT | {"note": "K\u00f6lsch"})}).encode()

    found = delivery(body, "application/x-www-form-urlencoded")

    assert type_of(found) == "payment.paid"
    assert payment_after(found, "payment.paid").payment_id == "payment-1"


@pytest.mark.parametrize(
    ("body", "event", "expected"),
    [
        (b'{"zen": "Design for failure.", "hook_id": 1}', "ping", "ping"),
        (b'{"action": "paid"}', "payment", "payment.paid"),
        (b'{"type": "invoice.sent"}', "", "invoice.sent"),
        (b"{}", "", ""),
    ],
)
def test_type_is_in_the_body_or_a_header(body: bytes, event: str, expected: str) -> None:
    assert type_of(delivery(body, event=event)) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"marked", "application/json"),
        (b"\xff", "application/json"),
        (b"[]", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"type": 1}', "application/json"),
        (b"{}", ""),
        (b"{}", "text/plain"),
        (b"payload", "application/x-www-form-urlencoded"),
        (b"payload={}&payload={}", "application/x-www-form-urlencoded"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"a=1&" * 100, "application/x-www-form-urlencoded"),
    ],
)
def test_other_bodies_are_no_event_and_are_not_quoted(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidEventError) as raised:
        type_of(delivery(body, content_type))
    assert "marked" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("payment_id", value) for value in ["", "-a", "a" * 65, 1, None]),
        *(("amount", value) for value in [-1, 10**12 + 1, 0.5, "1", None]),
        *(("currency", value) for value in ["", "eur", "EURO", 1]),
    ],
)
def test_every_field_stays_within_its_bounds(name: str, value: object) -> None:
    given = of(data=EVENT["data"] | {name: value})

    with pytest.raises(InvalidEventError, match=name):
        payment_after(given, "payment.paid")


@given(st.integers(0, 10**11), st.integers(0, 10**11))
def test_later_event_has_the_higher_position(one: int, other: int) -> None:
    positions = [
        payment_after(of(created=created), kind).position
        for created in sorted({one, other})
        for kind in HANDLED
    ]

    assert positions == sorted(positions)


def test_refund_in_the_same_second_comes_after_the_payment() -> None:
    kinds = ("payment.paid", "payment.refunded")
    paid, refunded = (payment_after(of(), kind).position for kind in kinds)

    assert paid < refunded


@given(st.binary(max_size=200), st.sampled_from(["application/json", "", "text/html"]))
def test_any_body_is_an_event_or_refused(body: bytes, content_type: str) -> None:
    with contextlib.suppress(InvalidEventError):
        payment_after(delivery(body, content_type), "payment.paid")
