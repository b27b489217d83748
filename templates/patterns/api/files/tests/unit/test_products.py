"""What is a product, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.products import Content, is_product_id, key_of_owner, new_product, parse_content
from toolkit.runtime.fields import InvalidFieldsError

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100)
contents = st.builds(Content, names, st.integers(0, 1_000_000))


@given(contents)
def test_content_is_the_same_after_json(content: Content) -> None:
    assert parse_content(content.to_json()) == content


def test_same_content_gives_the_same_text() -> None:
    """Its fingerprint tells a repeated create from another one under the same key."""
    assert Content(quantity=2, name="teapot").to_json() == '{"name": "teapot", "quantity": 2}'


@pytest.mark.parametrize("quantity", [-1, 1_000_001, 1.5, "1", True, None])
def test_quantity_is_a_whole_number_within_bounds(quantity: object) -> None:
    with pytest.raises(InvalidFieldsError, match="quantity"):
        parse_content(json.dumps({"name": "teapot", "quantity": quantity}))


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", "line\n", "\x7f", 1, None])
def test_name_is_one_line_of_text(name: object) -> None:
    with pytest.raises(InvalidFieldsError, match="name"):
        parse_content(json.dumps({"name": name, "quantity": 1}))


def test_key_creates_one_product() -> None:
    first, other = (new_product("owner", key, Content("teapot", 2)) for key in ("key-1", "key-2"))

    assert is_product_id(first.id)
    assert first == new_product("owner", "key-1", Content("teapot", 2))
    assert first.version == 1
    assert first.id != other.id


def test_same_key_of_two_owners_creates_two_products() -> None:
    mine, theirs = (new_product(owner, "key", Content("teapot", 2)) for owner in ("a", "b"))

    assert mine.id != theirs.id
    assert key_of_owner("a", "key") != key_of_owner("b", "key")
