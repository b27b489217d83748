"""A delivery is the same after the queue, and always fits into it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.deliveries import (
    LARGEST_BODY,
    LARGEST_MESSAGE,
    LONGEST_NAME,
    Delivery,
    parse_delivery,
    printable,
)
from toolkit.runtime.fields import InvalidFieldsError

names = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=LONGEST_NAME)
bodies = st.binary() | st.text().map(str.encode)


@given(st.builds(Delivery, names, names, names, bodies))
def test_delivery_is_the_same_after_the_queue(delivery: Delivery) -> None:
    text = delivery.to_json()

    assert parse_delivery(text) == delivery
    assert text.isascii()
    assert text.isprintable()


def test_largest_delivery_with_the_longest_cause_fits_into_a_message() -> None:
    name = '"' * LONGEST_NAME  # Two characters each in JSON.
    correlation, cause = 100, 4 * 1_000 + 100

    for byte in (b"a", b'"', b"\x00", b"\xff"):
        text = Delivery(name, name, name, byte * LARGEST_BODY).to_json()
        assert len(text) + correlation + cause <= LARGEST_MESSAGE


def fingerprint(body: bytes) -> str:
    return Delivery("a", "", "", body).fingerprint


def test_attempts_of_a_stripe_event_are_the_same_delivery() -> None:
    first = fingerprint(b'{"id": "evt_1", "pending_webhooks": 2}')

    assert fingerprint(b'{"id": "evt_1", "pending_webhooks": 1}') == first
    assert fingerprint(b'{"id": "evt_2", "pending_webhooks": 2}') != first


@pytest.mark.parametrize(
    "body", [b'pending_webhooks {"', b'["pending_webhooks"]', b'{"a": {"pending_webhooks": 1}}']
)
def test_any_other_change_of_a_body_is_another_delivery(body: bytes) -> None:
    assert fingerprint(body) != fingerprint(body.replace(b"webhooks", b"webhooks2"))


def test_text_can_be_read_in_the_queue_and_other_bytes_are_base64() -> None:
    assert '"text": "{}"' in Delivery("a", "", "", b"{}").to_json()
    assert '"base64": "/w=="' in Delivery("a", "", "", b"\xff").to_json()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"delivery_id": 1}'])
def test_other_text_is_no_delivery(text: str) -> None:
    with pytest.raises(InvalidFieldsError):
        parse_delivery(text)


def test_body_that_is_not_base64_is_named_and_not_quoted() -> None:
    fields = {"delivery_id": "a", "content_type": "", "event": "", "base64": "marked!"}

    with pytest.raises(InvalidFieldsError, match="base64") as raised:
        parse_delivery(json.dumps(fields))
    assert "marked" not in str(raised.value)


@pytest.mark.parametrize("value", ["caf\u00e9", "a\nb", "a" * 256])
def test_unusual_header_is_left_out(value: str) -> None:
    assert printable(value) == ""
    assert printable("application/json; charset=utf-8") == "application/json; charset=utf-8"
