"""Totals equal the set of distinct visits, whatever is delivered again and whatever fails."""

import base64
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.adapters.totals import Totals
from service.domain.visits import Limits, Placed, Visit, parse_visit, place, totals_of
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.once_per_event import MOST_WRITES, OncePerEvent
from toolkit.runtime.stream_batch import (
    PermanentError,
    arrival_of,
    process_stream_batch,
    text_of,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIMITS = Limits(oldest=86_400, ahead=300)
SITES = ("shop", "blog", "wiki")


class Table:
    """Behaves as DynamoDB's conditional transactions do: all writes or none."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.totals: Counter[tuple[str, str, str]] = Counter()
        self.calls: list[int] = []
        # What happens at the next calls: "" is nothing.
        self.faults: list[str] = []

    def transact_write_items(self, TransactItems: list[Any]) -> None:  # noqa: N803
        self.calls.append(len(TransactItems))
        assert len(TransactItems) <= MOST_WRITES
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise error("ThrottlingException")
        puts = [item["Put"] for item in TransactItems if "Put" in item]
        found = [self.records.get(put["Item"]["id"]["S"]) for put in puts]
        if any(found):
            reasons = [
                {"Code": "ConditionalCheckFailed", "Item": item} if item else {"Code": "None"}
                for item in found
            ]
            others = [{"Code": "None"}] * (len(TransactItems) - len(puts))
            raise error("TransactionCanceledException", [*reasons, *others])
        self.records |= {put["Item"]["id"]["S"]: put["Item"] for put in puts}
        for update in (item["Update"] for item in TransactItems if "Update" in item):
            site, hour = (update["Key"][name]["S"] for name in ("site", "hour"))
            values = update["ExpressionAttributeValues"]
            self.totals[site, hour, "visits"] += int(values[":count"]["N"])
            self.totals[site, hour, "amount"] += int(values[":amount"]["N"])
        if fault == "after":
            raise error("InternalServerError")


def error(code: str, reasons: list[Any] | None = None) -> ClientError:
    status = 500 if code == "InternalServerError" else 400
    answer: dict[str, Any] = {
        "Error": {"Code": code, "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    if reasons:
        answer["CancellationReasons"] = reasons
    return ClientError(answer, "TransactWriteItems")  # type: ignore[arg-type]


def totals_in(table: Table) -> Totals:
    return Totals(OncePerEvent(table, "idempotency", 60), "totals")  # type: ignore[arg-type]


def expected(visits: list[Visit]) -> Counter[tuple[str, str, str]]:
    """The totals of distinct visits."""
    arrival = int(NOON.timestamp())
    found: Counter[tuple[str, str, str]] = Counter()
    for (site, hour), total in totals_of(place(one, arrival, LIMITS) for one in visits).items():
        found[site, hour, "visits"] = total.count
        found[site, hour, "amount"] = total.amount
    return found


class Stream(RuleBasedStateMachine):
    """A shard per site, read by two event sources, in batches of any size, with any fault."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.totals = totals_in(self.table)
        self.shards: dict[str, list[dict[str, Any]]] = {site: [] for site in SITES}
        self.done = dict.fromkeys(SITES, 0)
        self.sent: dict[str, Visit] = {}
        self.kept: set[str] = set()
        self.number = 0

    @initialize()
    def first(self) -> None:
        self.put("shop", [0, 1, 0], 3)

    def _append(self, site: str, data: bytes) -> None:
        self.number += 1
        self.shards[site].append(
            {
                "eventID": f"shardId-{site}:{self.number}",
                "kinesis": {
                    "sequenceNumber": str(self.number),
                    "partitionKey": site,
                    "data": base64.b64encode(data).decode(),
                    "approximateArrivalTimestamp": NOON.timestamp(),
                },
            }
        )

    @rule(
        site=st.sampled_from(SITES),
        ids=st.lists(st.integers(0, 40), min_size=1, max_size=120),
        amount=st.integers(0, 9),
    )
    def put(self, site: str, ids: list[int], amount: int) -> None:
        """New visits, late ones among them, and such as were sent before."""
        for number in ids:
            name = f"{site}-{number}"
            happened_at = NOON - timedelta(hours=number % 3)
            visit = self.sent.setdefault(name, Visit(name, site, amount, happened_at))
            self._append(site, visit.to_json().encode())

    @rule(site=st.sampled_from(SITES), data=st.sampled_from([b"\xff", b"{", b"[]"]))
    def put_poison(self, site: str, data: bytes) -> None:
        self._append(site, data)

    @rule(faults=st.lists(st.sampled_from(["", "before", "after"]), max_size=4))
    def go_wrong(self, faults: list[str]) -> None:
        self.table.faults = list(faults)

    @rule(site=st.sampled_from(SITES), size=st.integers(1, 150), crashes=st.booleans())
    def deliver(self, site: str, size: int, crashes: bool) -> None:
        """The next batch. After a crash, Lambda does not know what was done."""
        start = self.done[site]
        records = self.shards[site][start : start + size]
        answer = self._process(records)
        if crashes:
            return
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        numbers = [one["kinesis"]["sequenceNumber"] for one in records]
        self.done[site] += numbers.index(failed[0]) if failed else len(records)

    @rule(site=st.sampled_from(SITES), data=st.data())
    def deliver_again(self, site: str, data: st.DataObject) -> None:
        """Any part: a suffix, half a batch, or all by a second event source."""
        records = self.shards[site]
        start = data.draw(st.integers(0, len(records)))
        end = data.draw(st.integers(start, len(records)))
        self._process(records[start:end])

    @rule(data=st.data())
    def reshard(self, data: st.DataObject) -> None:
        """Records of several sites in one shard: nothing is known by its shard."""
        mixed = [one for site in SITES for one in self.shards[site]]
        self._process(data.draw(st.permutations(mixed[:60])))

    def _process(self, records: list[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
        def read(record: dict[str, Any]) -> Placed:
            try:
                return place(parse_visit(text_of(record)), arrival_of(record), LIMITS)
            except InvalidFieldsError as problem:
                raise PermanentError(str(problem)) from problem

        return process_stream_batch(
            records,
            read,
            lambda placed: self.totals.add(placed, int(NOON.timestamp())).refused,
            lambda record, _: self.kept.add(record["eventID"]),
            has_time=lambda: True,
        )

    @invariant()
    def totals_are_those_of_the_visits_that_are_recorded(self) -> None:
        recorded = [self.sent[name] for name in self.table.records]
        assert self.table.totals == expected(recorded)

    def teardown(self) -> None:
        """In the end, nothing goes wrong any more, and every visit is counted."""
        self.table.faults = []
        for site in SITES:
            self._process(self.shards[site])
        assert self.table.totals == expected(list(self.sent.values()))
        poison = {
            one["eventID"] for site in SITES for one in self.shards[site] if not text_is_visit(one)
        }
        assert self.kept == poison


def text_is_visit(record: dict[str, Any]) -> bool:
    return base64.b64decode(record["kinesis"]["data"]).startswith(b'{"')


Stream.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
test_totals_are_the_set_of_distinct_visits = Stream.TestCase


def placed(count: int, sites: int = 1) -> list[Placed]:
    arrival = int(NOON.timestamp())
    return [
        place(Visit(f"visit-{n}", f"site-{n % sites}", 1, NOON), arrival, LIMITS)
        for n in range(count)
    ]


def test_hot_site_takes_one_write_of_its_total() -> None:
    """Pre-aggregated: 50 visits of one hour are 50 records and one update."""
    table = Table()

    totals_in(table).add(placed(50), now=1)

    assert table.calls == [51]


def test_fullest_transaction_holds_no_more_than_dynamodb_takes() -> None:
    table = Table()

    totals_in(table).add(placed(50, sites=50), now=1)

    assert table.calls == [MOST_WRITES]


def test_part_that_was_counted_before_is_left_out() -> None:
    table = Table()
    totals = totals_in(table)
    totals.add(placed(20), now=1)

    written = totals.add(placed(50), now=1)

    assert (len(written.new), len(written.duplicates), written.refused) == (30, 20, {})
    assert table.totals["site-0", "2026-01-01T12", "visits"] == 50


def test_crash_after_the_write_counts_nothing_twice() -> None:
    table = Table()
    table.faults = ["after"]
    totals = totals_in(table)
    try:
        totals.add(placed(3), now=1)
    except ClientError:
        totals.add(placed(3), now=1)

    assert table.totals["site-0", "2026-01-01T12", "visits"] == 3
