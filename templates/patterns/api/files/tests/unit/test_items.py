"""What is an item, and what is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.items import (
    LARGEST_QUANTITY,
    Content,
    InvalidItemError,
    is_item_id,
    new_item,
    parse_content,
)

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=100)
contents = st.builds(Content, names, st.integers(0, LARGEST_QUANTITY))


@given(contents)
def test_content_survives_the_way_through_json(content: Content) -> None:
    assert parse_content(content.to_json()) == content


def test_the_same_content_always_gives_the_same_text() -> None:
    """Its fingerprint tells a repeated create from another one under the same key."""
    assert Content(quantity=2, name="teapot").to_json() == '{"name": "teapot", "quantity": 2}'


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps),
    )
)
def test_anything_else_is_refused_with_a_reason(text: str | None) -> None:
    with pytest.raises(InvalidItemError) as caught:
        parse_content(text)

    assert caught.value.problems


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidItemError):
        parse_content("[" * 100_000)


@given(st.dictionaries(st.sampled_from(["name", "quantity", "more"]), st.integers() | st.text()))
def test_an_object_is_an_item_or_every_problem_is_named(fields: dict[str, int | str]) -> None:
    try:
        content = parse_content(json.dumps(fields))
    except InvalidItemError as error:
        named = " ".join(error.problems)
        assert all(name in named for name in {"name", "quantity"} - fields.keys())
        assert all(repr(name) in named for name in fields.keys() - {"name", "quantity"})
    else:
        assert json.loads(content.to_json()) == fields


@pytest.mark.parametrize("quantity", [-1, LARGEST_QUANTITY + 1, 1.0, "1", True, None])
def test_a_quantity_is_a_whole_number_within_bounds(quantity: object) -> None:
    with pytest.raises(InvalidItemError, match="quantity"):
        parse_content(json.dumps({"name": "teapot", "quantity": quantity}))


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", "\ud800", "\x7f", 1, None])
def test_a_name_is_text_on_one_line(name: object) -> None:
    with pytest.raises(InvalidItemError, match="name"):
        parse_content(json.dumps({"name": name, "quantity": 1}))


def test_a_key_stands_for_one_item() -> None:
    first, other = (new_item(key, Content("teapot", 2)) for key in ("key-1", "key-2"))

    assert is_item_id(first.id)
    assert first == new_item("key-1", Content("teapot", 2))
    assert first.version == 1
    assert first.id != other.id
