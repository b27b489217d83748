"""Reading a JSON object, and the errors for an invalid one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.fields import InvalidFieldsError, read_fields, text, whole_number

RULES = {"name": text("[a-z]{1,5}", "1 to 5 small letters"), "size": whole_number(1, 9)}
GOOD = {"name": "abc", "size": 2}


def problems_of(body: str | None) -> list[str]:
    with pytest.raises(InvalidFieldsError) as caught:
        read_fields(body, **RULES)
    return caught.value.problems


def test_valid_object_is_read() -> None:
    assert read_fields(json.dumps(GOOD), **RULES) == GOOD


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
        assert read_fields(json.dumps(fields), **RULES) == fields
    except InvalidFieldsError as error:
        named = " ".join(error.problems)
        assert all(name in named for name in RULES.keys() ^ fields.keys())


@pytest.mark.parametrize("name", ["", "ABC", "abcdef", "abc\n", 1, None, ["abc"]])
def test_text_matches_its_rule(name: object) -> None:
    assert problems_of(json.dumps(GOOD | {"name": name})) == ["name must be 1 to 5 small letters"]


@pytest.mark.parametrize("size", ["0", "10", "-1", "1.5", "1e30", "NaN", "Infinity", '"1"', "true"])
def test_whole_number_is_within_its_bounds(size: str) -> None:
    body = f'{{"name": "abc", "size": {size}}}'

    assert problems_of(body) == ["size must be a whole number from 1 to 9"]


@pytest.mark.parametrize("size", ["2", "2.0", "0.2e1"])
def test_whole_number_in_every_json_notation(size: str) -> None:
    assert read_fields(f'{{"name": "abc", "size": {size}}}', **RULES) == GOOD


def test_json_nested_too_deeply_is_refused() -> None:
    assert problems_of("[" * 100_000)


def test_error_stays_short_for_a_large_request() -> None:
    """Nobody gets a megabyte back for a megabyte sent."""
    fields = GOOD | {str(number) * 100: number for number in range(10, 100)}

    assert len(" ".join(problems_of(json.dumps(fields)))) < 1_000
