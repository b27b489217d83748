"""Reading a JSON object, and the errors for an invalid one."""

import json
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from toolkit.runtime.fields import InvalidFieldsError, read, text


class Thing(Struct):
    name: Annotated[str, text("[a-z]{1,5}", "1 to 5 lowercase letters")]
    size: Annotated[int, Meta(ge=1, le=9, description="a whole number from 1 to 9")]


class Line(Struct, forbid_unknown_fields=True):
    sku: str
    price: Decimal


class Order(Struct):
    caller: str
    lines: Annotated[list[Line], Meta(min_length=1)]
    note: str | None = None
    weight: float | None = None


GOOD = {"name": "abc", "size": 2}
ORDER = {"lines": [{"sku": "a", "price": "1.10"}]}


def problems_of(body: str | None) -> list[str]:
    with pytest.raises(InvalidFieldsError) as caught:
        read(body, Thing)
    return caught.value.problems


def test_valid_object_is_read() -> None:
    assert read(json.dumps(GOOD), Thing) == Thing("abc", 2)


@given(
    st.none()
    | st.text()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_non_object_is_refused_with_a_reason(body: str | None) -> None:
    assert problems_of(body)


@given(st.dictionaries(st.sampled_from(["name", "size", "more"]), st.integers() | st.text()))
def test_object_is_valid_or_every_problem_is_named(fields: dict[str, Any]) -> None:
    try:
        assert read(json.dumps(fields), Thing) == Thing(**fields)
    except InvalidFieldsError as error:
        named = " ".join(error.problems)
        assert all(name in named for name in {"name", "size"} ^ fields.keys())


@pytest.mark.parametrize("name", ["", "ABC", "abcdef", "abc\n", 1, None, ["abc"]])
def test_text_matches_its_rule(name: object) -> None:
    body = json.dumps(GOOD | {"name": name})

    assert problems_of(body) == ["name must be 1 to 5 lowercase letters"]


@pytest.mark.parametrize("size", ["0", "10", "-1", "1.5", "1e30", '"1"', "true", "9" * 30])
def test_whole_number_is_within_its_bounds(size: str) -> None:
    body = f'{{"name": "abc", "size": {size}}}'

    assert problems_of(body) == ["size must be a whole number from 1 to 9"]


@pytest.mark.parametrize("size", ["2", "2.0", "0.2e1"])
def test_whole_number_in_every_json_notation(size: str) -> None:
    assert read(f'{{"name": "abc", "size": {size}}}', Thing) == Thing("abc", 2)


@pytest.mark.parametrize(
    "body", ["NaN", "[" * 100_000, '{"name": "\\ud800"}', '"\ud800"', "{}}", "9" * 5_000]
)
def test_invalid_json_is_refused(body: str) -> None:
    """Among it what Python's own parser accepts: NaN, and halves of surrogate pairs."""
    assert problems_of(body) == ["the body must be JSON"]


def test_missing_and_unknown_fields_are_named() -> None:
    assert problems_of('{"name": "abc", "colour": 1}') == [
        "size must be a whole number from 1 to 9",
        "'colour' is unknown",
    ]


def test_nested_objects_lists_decimals_and_optional_fields_are_read() -> None:
    order = read(json.dumps(ORDER), Order, caller="me")

    assert order == Order("me", [Line("a", Decimal("1.10"))], None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lines": [{"sku": 1, "price": "1"}]}, "lines[0].sku: Expected `str`, got `int`"),
        ({"lines": [{"sku": "a"}]}, "lines[0]: Object missing required field `price`"),
        ({"lines": []}, "lines: Expected `array` of length >= 1"),
        ({"note": 1}, "note: Expected `str | null`, got `int`"),
        ({"caller": "other"}, "'caller' is unknown"),
        (
            {"lines": [{"sku": "a", "price": "1", "colour": 1}]},
            "lines[0]: Object contains unknown field `colour`",
        ),
    ],
)
def test_problem_of_a_nested_field_names_its_path(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read(json.dumps(ORDER | changes), Order, caller="me")

    assert caught.value.problems == [problem]


@pytest.mark.parametrize("price", ["1.10", "12345678901234567890.12", "0.1", "1e-7", "2.00", "3"])
def test_decimal_is_exact_as_a_number_and_as_text(price: str) -> None:
    """As a float, 12345678901234567890.12 would become 12345678901234567168."""
    for value in (price, f'"{price}"'):
        order = read(f'{{"lines": [{{"sku": "a", "price": {value}}}]}}', Order, caller="me")

        assert order.lines[0].price == Decimal(price)


@pytest.mark.parametrize("price", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999999"])
def test_text_that_is_no_usable_number_is_no_decimal(price: str) -> None:
    """Comparing with NaN, or adding to infinity, would fail later or pass every check."""
    with pytest.raises(InvalidFieldsError, match="lines: a number is out of range"):
        read(json.dumps({"lines": [{"sku": "a", "price": price}]}), Order, caller="me")


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e999999999", "1e-400", "1e99999999999999999999"]
)
def test_number_out_of_range_is_refused_and_not_infinite(number: str) -> None:
    body = f'{{"lines": [{{"sku": "a", "price": "1"}}], "weight": {number}}}'

    with pytest.raises(InvalidFieldsError, match="a number in the body is out of range"):
        read(body, Order, caller="me")


def test_float_is_read_from_a_number() -> None:
    body = json.dumps(ORDER | {"weight": 1.5})

    assert read(body, Order, caller="me").weight == 1.5


def test_error_stays_short_for_a_large_request() -> None:
    fields = GOOD | {str(number) * 100: number for number in range(10, 100)}

    assert len(" ".join(problems_of(json.dumps(fields)))) < 1_000
