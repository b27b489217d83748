"""What is a survey, which version is the newest, and what others hear of it."""

import json
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.surveys import (
    LONGEST_LINE,
    LONGEST_SEQUENCER,
    InvalidSurveyError,
    Survey,
    SurveyProcessed,
    Upload,
    check_event,
    comparable,
    parse_processed,
    processed,
    summarize,
)
from toolkit.runtime.fields import InvalidFieldsError

UPLOAD = Upload("uploads", "north/1.csv", 1, "etag", "0A")
EVENT = SurveyProcessed("0" * 32, "north/1.csv", "etag", 2, 7, "message-1")
sequencers = st.text("0123456789ABCDEF", min_size=1, max_size=LONGEST_SEQUENCER)


def sums(*chunks: bytes) -> tuple[int, int]:
    survey = summarize(UPLOAD, chunks)
    return survey.lines, survey.total


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"oak,3\nbirch,4\n", (2, 7)),
        (b"oak,3\nbirch,4", (2, 7)),
        (b"oak,3\r\nbirch,4\r\n", (2, 7)),
        (b"a,b,3\n", (1, 3)),
        (b"oak,1000000\n", (1, 1_000_000)),
        (b"\xc3\xa9,0\n", (1, 0)),
    ],
)
def test_lines_are_counted_and_summed(body: bytes, expected: tuple[int, int]) -> None:
    assert sums(body) == expected


@given(st.lists(st.integers(0, 1_000_000), max_size=30), st.integers(1, 40))
def test_parts_may_end_anywhere(numbers: list[int], size: int) -> None:
    body = b"".join(b"name,%d\n" % number for number in numbers)
    parts = [body[start : start + size] for start in range(0, len(body), size)]

    assert sums(*parts) == (len(numbers), sum(numbers))


@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        (b"oak", "line 1 "),
        (b"oak,3\n\nbirch,4\n", "line 2 "),
        (b"oak,-3", "line 1 "),
        (b"oak,3.5", "line 1 "),
        (b"oak,\xd9\xa3", "line 1 "),
        (b",3", "line 1 "),
        (b"oak,1000001", "line 1 "),
        (b"oak," + b"0" * 100, "line 1 "),
        (b"x" * (LONGEST_LINE + 1), "longer than"),
    ],
)
def test_invalid_line_is_named(body: bytes, mentions: str) -> None:
    with pytest.raises(InvalidSurveyError, match=mentions):
        sums(body)


def file_of(megabytes: int) -> Iterator[bytes]:
    for _ in range(16 * megabytes):
        yield b"birch-tree,1234\n" * 4_096


def peak(chunks: Iterable[bytes]) -> int:
    tracemalloc.start()
    try:
        summarize(UPLOAD, chunks)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file() -> None:
    small, large = peak(file_of(1)), peak(file_of(10))

    assert large < 1.2 * small
    assert large < 5 * 1_024 * 1_024


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0A", "0B"),
        ("0A", "0A1"),
        ("09F", "0A"),
        ("0", "1"),
    ],
)
def test_newer_sequencer_sorts_after_the_older(older: str, newer: str) -> None:
    assert comparable(older) < comparable(newer)


@given(sequencers, sequencers)
def test_sequencers_compare_as_s3_describes_it(one: str, other: str) -> None:
    """Right-pad the shorter with zeros, then compare as text."""
    width = max(len(one), len(other))
    expected = one.ljust(width, "0") < other.ljust(width, "0")

    assert (comparable(one) < comparable(other)) is expected


@pytest.mark.parametrize("sequencer", ["", "0" * (LONGEST_SEQUENCER + 1)])
def test_sequencer_that_cannot_be_compared_is_refused(sequencer: str) -> None:
    with pytest.raises(InvalidSurveyError, match="sequencer"):
        comparable(sequencer)


def test_event_has_the_same_id_for_the_same_version_only() -> None:
    survey = Survey("north/1.csv", "etag", comparable("0A"), 2, 7)
    newer = Survey("north/1.csv", "etag", comparable("0B"), 2, 7)

    assert processed(survey, "a").event_id == processed(survey, "b").event_id
    assert processed(newer, "a").event_id != processed(survey, "a").event_id


def test_event_fits_its_schema_after_the_outbox_and_the_bus() -> None:
    event = processed(Survey("é" * 512, "etag", comparable("0A"), 2, 7), "message-1")

    check_event("survey.processed", event.to_json())

    assert parse_processed(event.to_json().encode()) == event


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("survey.lost", {}),
        ("survey.processed", {"lines": "2"}),
        ("survey.processed", {"lines": -1}),
        ("survey.processed", {"event_id": "1"}),
        ("survey.processed", {"object_key": ""}),
        ("survey.processed", {"unknown": 1}),
    ],
)
def test_event_that_does_not_fit_its_schema_is_refused(
    kind: str, change: dict[str, object]
) -> None:
    with pytest.raises(InvalidFieldsError):
        check_event(kind, json.dumps(json.loads(EVENT.to_json()) | change))


def test_consumer_ignores_fields_that_were_added_later() -> None:
    later = json.dumps(json.loads(EVENT.to_json()) | {"added": 1}).encode()

    assert parse_processed(later) == EVENT
