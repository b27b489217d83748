"""A batch goes on after a permanent error, and stops at a temporary one: nothing overtakes."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runtime.observability import version_metrics
from toolkit.runtime.once_per_event import MOST_WRITES
from toolkit.runtime.stream_batch import (
    CHUNK,
    LARGEST_BYTES,
    PermanentError,
    process_stream_batch,
    text_of,
)
from toolkit.testing import Lines

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Call")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Call")


def record(number: int, data: bytes = b"good") -> dict[str, Any]:
    return {
        "eventID": f"shardId-000000000000:{number}",
        "kinesis": {"sequenceNumber": str(number), "data": base64.b64encode(data).decode()},
    }


class Ends:
    """Where records end, and which of them fail."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.kept: dict[int, str] = {}
        self.bad: set[int] = set()
        self.refused: set[int] = set()
        self.write_fails: dict[int, Exception] = {}
        self.keep_fails: dict[int, Exception] = {}

    def read(self, record: dict[str, Any]) -> int:
        number = int(record["kinesis"]["sequenceNumber"])
        if number in self.bad:
            raise PermanentError("bad")
        return number

    def write(self, numbers: list[int]) -> dict[int, str]:
        for number in numbers:
            if number in self.write_fails:
                raise self.write_fails[number]
        self.written += [number for number in numbers if number not in self.refused]
        return {place: "refused" for place, n in enumerate(numbers) if n in self.refused}

    def keep(self, record: dict[str, Any], cause: str) -> None:
        number = int(record["kinesis"]["sequenceNumber"])
        if number in self.keep_fails:
            raise self.keep_fails[number]
        self.kept[number] = cause

    def process(self, count: int, has_time: Any = lambda: True) -> int | None:
        """The sequence number from which the batch is retried."""
        records = [record(number) for number in range(count)]
        answer = process_stream_batch(records, self.read, self.write, self.keep, has_time)
        failures = answer["batchItemFailures"]
        return int(failures[0]["itemIdentifier"]) if failures else None


def test_permanent_errors_are_kept_and_the_batch_goes_on() -> None:
    ends = Ends()
    ends.bad, ends.refused = {0, 3}, {5}

    assert ends.process(7) is None

    assert ends.kept == {0: "bad", 3: "bad", 5: "refused"}
    assert ends.written == [1, 2, 4, 6]


def test_temporary_error_stops_at_the_first_record_that_is_not_done() -> None:
    ends = Ends()
    ends.write_fails = {CHUNK + 3: THROTTLED}

    assert ends.process(3 * CHUNK) == CHUNK
    assert ends.written == list(range(CHUNK))


def test_record_that_cannot_be_kept_stops_the_batch_before_what_follows() -> None:
    ends = Ends()
    ends.bad, ends.keep_fails = {2, 4}, {2: THROTTLED}

    assert ends.process(6) == 2
    assert (ends.written, ends.kept) == ([0, 1], {})


def test_refused_record_that_cannot_be_kept_is_retried() -> None:
    ends = Ends()
    ends.refused, ends.keep_fails = {2}, {2: THROTTLED}

    assert ends.process(4) == 2


@pytest.mark.parametrize("end", ["write", "keep"])
def test_other_errors_are_raised_so_that_lambda_isolates_the_record(end: str) -> None:
    ends = Ends()
    ends.bad = {1}
    if end == "write":
        ends.write_fails = {2: DENIED}
    else:
        ends.keep_fails = {1: DENIED}

    with pytest.raises(ClientError):
        ends.process(3)


def test_time_that_runs_out_stops_the_batch() -> None:
    ends = Ends()
    answers = iter([True, False])

    assert ends.process(2 * CHUNK, lambda: next(answers)) == CHUNK
    assert ends.written == list(range(CHUNK))


def test_records_and_as_many_other_writes_are_one_transaction() -> None:
    assert 2 * CHUNK <= MOST_WRITES


def test_empty_batch_is_done() -> None:
    assert Ends().process(0) is None


PLACES = st.sets(st.integers(0, 199), max_size=20)


@given(PLACES, PLACES, PLACES, PLACES)
def test_nothing_overtakes_a_record_that_is_retried(
    bad: set[int], refused: set[int], write_fails: set[int], keep_fails: set[int]
) -> None:
    """All before it are done, and no good one after it is."""
    ends = Ends()
    ends.bad, ends.refused = bad, refused - bad
    ends.write_fails = dict.fromkeys(write_fails, THROTTLED)
    ends.keep_fails = dict.fromkeys(keep_fails - refused, THROTTLED)

    stopped = ends.process(200)

    until = 200 if stopped is None else stopped
    assert [n for n in ends.written if n < until] == [
        n for n in range(until) if n not in bad | refused
    ]
    assert [n for n in ends.written if n >= until] == []
    assert {n for n in ends.kept if n < until} == {n for n in range(until) if n in bad | refused}


@pytest.mark.parametrize(
    ("data", "cause"),
    [(b"\xff", "UTF-8"), (b"a" * (LARGEST_BYTES + 1), f"more than {LARGEST_BYTES}")],
)
def test_data_that_is_no_text_is_a_permanent_error(data: bytes, cause: str) -> None:
    with pytest.raises(PermanentError, match=cause):
        text_of(record(0, data))


@given(st.text(max_size=100))
def test_text_is_read(text: str) -> None:
    assert text_of(record(0, text.encode())) == text


def test_log_says_which_records_were_taken_and_why_some_are_kept(lines: Lines) -> None:
    ends = Ends()
    ends.bad = {1}

    ends.process(3)

    taken, kept = lines()
    assert (taken["message"], taken["count"], taken["first"], taken["last"]) == (
        "took records",
        3,
        "0",
        "2",
    )
    assert (kept["message"], kept["sequence_number"], kept["cause"]) == (
        "kept as a failure",
        "1",
        "bad",
    )


def test_what_failed_is_counted_for_the_alarms() -> None:
    version_metrics.clear_metrics()
    ends = Ends()
    ends.bad, ends.write_fails = {0}, {CHUNK: THROTTLED}

    ends.process(2 * CHUNK)
    sums = {name: sum(metric["Value"]) for name, metric in version_metrics.metric_set.items()}
    version_metrics.clear_metrics()

    assert sums == {"RecordsTaken": CHUNK + 1, "RecordsFailed": 2}
