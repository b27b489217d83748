"""A cursor leads to a place in the list, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.pages import InvalidPageError, cursor_after, parse_cursor, parse_limit

ids = st.from_regex(r"\A[0-9a-f]{32}\Z")


@given(ids)
def test_cursor_continues_after_its_product(product_id: str) -> None:
    assert parse_cursor(cursor_after(product_id)) == product_id


@given(st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{22}\Z"))
def test_forged_cursor_is_refused_or_points_after_an_id(text: str) -> None:
    try:
        product_id = parse_cursor(text)
    except InvalidPageError:
        return
    assert product_id
    assert cursor_after(product_id) == text


@pytest.mark.parametrize(
    "text",
    ["", "forged", "A" * 21, "A" * 23, "A" * 21 + "B", "A" * 22 + "\n"],
)
def test_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidPageError, match="cursor"):
        parse_cursor(text)


def test_the_first_page_has_no_cursor_and_the_usual_size() -> None:
    assert parse_cursor(None) is None
    assert parse_limit(None) == 20


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("100", 100)])
def test_limit_sets_the_page_size(text: str, limit: int) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["", "0", "101", "-1", "01", "1.0", "٣", "9" * 5_000])
def test_page_size_is_limited(text: str) -> None:
    with pytest.raises(InvalidPageError, match="limit"):
        parse_limit(text)
