"""Each visit counts once in its own hour, or stands in the failures bucket with its cause."""

import contextlib
import gzip
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.adapters.visit_stream import VisitStream
from service.domain.visits import Visit
from toolkit.commands.failures import Failure, failures_in, replay
from toolkit.local_aws.stack import Stack
from toolkit.template import parameters

Eventually = Callable[[Callable[[], Any]], Any]
WRITE = "DynamoDB_20120810.TransactWriteItems"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
RETRIES = int(parameters("local")["StreamRetryAttempts"])
CALLS_PER_ATTEMPT = 2  # The SDK tries twice by itself.


class Visits:
    """What a test does with the deployed stack, and what it sees of its own site."""

    def __init__(self, stack: Stack, site: str) -> None:
        self.stack = stack
        self.site = site
        self.kinesis = stack.aws.client("kinesis")
        self.s3 = stack.aws.client("s3")
        self.dynamodb = stack.aws.client("dynamodb")
        self.awslambda = stack.aws.client("lambda")
        self.stream = stack.outputs["StreamName"]
        self.bucket = stack.outputs["FailuresBucket"]

    def put(self, *visits: Visit) -> None:
        VisitStream(self.kinesis, self.stream).put(visits)

    def put_data(self, site: str, *data: bytes) -> None:
        """Put records as another producer might."""
        records = [{"PartitionKey": site, "Data": one} for one in data]
        self.kinesis.put_records(StreamName=self.stream, Records=records)

    def totals(self, site: str) -> dict[str, tuple[int, int]]:
        """Visits and amount of each hour."""
        items = self.dynamodb.query(
            TableName=self.stack.outputs["TotalsTable"],
            KeyConditionExpression="site = :site",
            ExpressionAttributeValues={":site": {"S": site}},
            ConsistentRead=True,
        )["Items"]
        return {i["hour"]["S"]: (int(i["visits"]["N"]), int(i["amount"]["N"])) for i in items}

    def count(self, site: str) -> int:
        return sum(visits for visits, _ in self.totals(site).values())

    def failures(self) -> list[Failure]:
        """Those of this test's site, or of sites whose names begin with it."""
        return [
            failure
            for failure in failures_in(self.s3, self.bucket)
            if all(one["kinesis"]["partitionKey"].startswith(self.site) for one in failure.records)
        ]

    def replay(self) -> int:
        """Put them back on the stream."""
        return sum(
            replay(self.s3, self.kinesis, self.bucket, self.stream, failure.key)
            for failure in self.failures()
        )

    def fail(self, target: str | None, fault: Any, times: int = 1) -> None:
        self.stack.aws.fail(target, fault, times, function=f"{self.stack.name}-Aggregate")


@pytest.fixture
def site() -> str:
    """A site of this test alone. Its visits keep their order."""
    return f"site-{uuid.uuid4().hex}"


@pytest.fixture
def visits(stack: Stack, site: str) -> Iterator[Visits]:
    visits = Visits(stack, site)
    yield visits
    stack.aws.end_faults()
    for failure in visits.failures():
        visits.s3.delete_object(Bucket=visits.bucket, Key=failure.key)


def visit(site: str, amount: int = 1, happened_at: datetime = NOW, event_id: str = "") -> Visit:
    return Visit(event_id or uuid.uuid4().hex, site, amount, happened_at)


def hour(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H")


def test_visits_add_up_by_site_and_hour(visits: Visits, site: str, eventually: Eventually) -> None:
    before = NOW - timedelta(hours=3)
    visits.put(visit(site, 2), visit(site, 3), visit(site, 5, before), visit(f"{site}-b", 7))

    eventually(lambda: visits.count(site) == 3 and visits.count(f"{site}-b") == 1)

    assert visits.totals(site) == {hour(before): (1, 5), hour(NOW): (2, 5)}
    assert visits.totals(f"{site}-b") == {hour(NOW): (1, 7)}
    assert visits.failures() == []


def test_duplicates_count_once(visits: Visits, site: str, eventually: Eventually) -> None:
    """In one batch, and in batches that come later."""
    twice = [visit(site) for _ in range(60)]
    last = visit(site)

    visits.put(*twice, *twice)
    visits.put(*reversed(twice), last)

    eventually(lambda: visits.count(site) >= 61)
    assert visits.totals(site) == {hour(NOW): (61, 61)}
    assert visits.failures() == []


def test_poison_record_is_kept_and_the_batch_goes_on(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    before, after = visit(site).to_json().encode(), visit(site).to_json().encode()

    visits.put_data(site, before, b"\xff\xfe", b"{", b'{"version": 2}', after)

    eventually(lambda: visits.count(site) == 2)
    failures = eventually(lambda: (found := visits.failures()) and len(found) == 3 and found)
    causes = {failure.cause for failure in failures}
    assert "the record must be UTF-8 text" in causes
    assert "the body must be JSON" in causes
    assert any("version must be 1" in cause for cause in causes)
    for failure in failures:
        [record] = failure.records
        assert failure.key.endswith(f"/{record['kinesis']['sequenceNumber']}.json")
        assert record["kinesis"]["partitionKey"] == site


def test_used_id_with_other_content_is_kept(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    first = visit(site, 1)
    visits.put(first)
    eventually(lambda: visits.count(site) == 1)

    visits.put(visit(site, 1_000, event_id=first.event_id))

    [failure] = eventually(visits.failures)
    assert failure.cause == f"{first.event_id} was used before with other content"
    assert visits.totals(site) == {hour(NOW): (1, 1)}


def test_time_out_of_range_is_kept_with_its_cause(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    old, ahead = NOW - timedelta(days=365), NOW + timedelta(days=1)

    visits.put(visit(site, happened_at=old), visit(site, happened_at=ahead), visit(site))

    eventually(lambda: visits.count(site) == 1)
    failures = eventually(lambda: (found := visits.failures()) and len(found) == 2 and found)
    causes = sorted(failure.cause for failure in failures)
    assert "before the arrival: at most 3456000" in " ".join(causes)
    assert "after the arrival: at most 300" in " ".join(causes)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_any_record_is_counted_or_kept_with_a_cause(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    sent: list[bytes] = []

    @settings(max_examples=60, derandomize=True, deadline=None, database=None)
    @given(st.binary(max_size=100) | ANYTHING.map(lambda value: json.dumps(value).encode()))
    def collect(data: bytes) -> None:
        sent.append(data)

    collect()
    visits.put_data(site, *sent)
    visits.put(visit(site))

    eventually(lambda: visits.count(site) == 1)
    failures = visits.failures()
    assert len(failures) == len(sent)
    assert all(failure.cause for failure in failures)


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_in_a_batch_loses_and_repeats_nothing(
    visits: Visits, site: str, eventually: Eventually, moment: Any
) -> None:
    """More than one transaction: the first may be done when the second one crashes."""
    visits.fail(WRITE, moment)

    visits.put(*(visit(site) for _ in range(120)))

    eventually(lambda: visits.count(site) >= 120)
    assert visits.totals(site) == {hour(NOW): (120, 120)}
    assert visits.failures() == []


def test_throttled_table_is_retried_from_the_first_record_that_is_not_done(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    visits.fail(WRITE, "throttle", times=RETRIES * CALLS_PER_ATTEMPT)

    visits.put(*(visit(site) for _ in range(60)))

    eventually(lambda: visits.count(site) >= 60)
    assert visits.totals(site) == {hour(NOW): (60, 60)}
    assert visits.failures() == []


def test_what_fails_for_good_is_kept_with_its_payload_and_can_be_replayed(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    sent = [visit(site) for _ in range(3)]
    visits.fail(WRITE, "throttle", times=(RETRIES + 1) * CALLS_PER_ATTEMPT)
    visits.put(*sent)
    [failure] = eventually(visits.failures)
    assert failure.cause.startswith(f"RetryAttemptsExhausted after {RETRIES + 1} invocations")
    assert [record["kinesis"]["partitionKey"] for record in failure.records] == [site] * 3
    assert visits.count(site) == 0

    assert visits.replay() == 3

    eventually(lambda: visits.count(site) == 3)
    assert visits.failures() == []


def test_record_that_crashes_the_function_is_isolated(
    visits: Visits, site: str, eventually: Eventually
) -> None:
    """Lambda halves the batch until it is alone: two records, three crashes of the second half."""
    first, second = visit(site), visit(site)
    visits.fail(WRITE, "crash before", times=1 + RETRIES + 1)

    visits.put(first, second)

    [failure] = eventually(visits.failures)
    assert len(failure.records) == 1
    eventually(lambda: visits.count(site) == 1)
    assert visits.replay() == 1
    eventually(lambda: visits.count(site) == 2)


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "AT_TIMESTAMP"])
def test_replay_by_a_second_event_source_changes_no_total(
    visits: Visits, site: str, eventually: Eventually, position: str
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    visits.put(*(visit(site) for _ in range(10)))
    visits.put_data(site, b"the end")
    [end] = eventually(visits.failures)
    visits.s3.delete_object(Bucket=visits.bucket, Key=end.key)
    at = {"StartingPositionTimestamp": since} if position == "AT_TIMESTAMP" else {}

    mapping = visits.awslambda.create_event_source_mapping(
        EventSourceArn=visits.stack.outputs["StreamArn"],
        FunctionName=visits.stack.outputs["AggregateFunction"],
        StartingPosition=position,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        **at,
    )["UUID"]

    try:
        assert eventually(visits.failures) == [end]
        assert visits.totals(site) == {hour(NOW): (10, 10)}
    finally:
        visits.awslambda.delete_event_source_mapping(UUID=mapping)
    # Once this one is counted, the second event source has done its last step.
    visits.put(visit(site))
    eventually(lambda: visits.count(site) == 11)


def test_resharding_changes_no_total(visits: Visits, site: str, eventually: Eventually) -> None:
    """Kinesis splits and merges shards of an on-demand stream by itself; here, the test does."""
    sites = [f"{site}-{number}" for number in range(8)]
    rounds = 0

    def put() -> None:
        nonlocal rounds
        rounds += 1
        visits.put(*(visit(one) for one in sites for _ in range(5)))

    put()
    shard = visits.kinesis.list_shards(StreamName=visits.stream)["Shards"][0]
    low, high = (int(shard["HashKeyRange"][f"{end}HashKey"]) for end in ("Starting", "Ending"))
    visits.kinesis.split_shard(
        StreamName=visits.stream,
        ShardToSplit=shard["ShardId"],
        NewStartingHashKey=str((low + high) // 2),
    )
    put()
    one, other = [
        found["ShardId"]
        for found in visits.kinesis.list_shards(StreamName=visits.stream)["Shards"]
        if found.get("ParentShardId") == shard["ShardId"]
    ]
    visits.kinesis.merge_shards(
        StreamName=visits.stream, ShardToMerge=one, AdjacentShardToMerge=other
    )
    put()
    visits.kinesis.update_shard_count(
        StreamName=visits.stream, TargetShardCount=2, ScalingType="UNIFORM_SCALING"
    )
    put()

    eventually(lambda: sum(visits.count(one) for one in sites) >= 8 * 5 * rounds)
    assert {visits.count(one) for one in sites} == {5 * rounds}
    assert visits.failures() == []


def test_every_record_is_archived(visits: Visits, site: str, eventually: Eventually) -> None:
    """As it came, invalid ones too. The local AWS neither collects records nor compresses them."""
    since = datetime.now(UTC).replace(microsecond=0)
    sent = [visit(site) for _ in range(3)]
    visits.put(*sent)
    visits.put_data(site, b"no visit")
    bucket = visits.stack.outputs["ArchiveBucket"]

    def archived() -> list[str]:
        found = []
        pages = visits.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for one in (one for page in pages for one in page.get("Contents", [])):
            if one["LastModified"] < since:
                continue
            assert one["Key"].startswith(f"records/date={datetime.now(UTC):%Y-}")
            body = visits.s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            with contextlib.suppress(gzip.BadGzipFile):
                body = gzip.decompress(body)
            found += body.decode(errors="replace").splitlines()
        return found

    expected = {one.to_json() for one in sent} | {"no visit"}
    eventually(lambda: expected <= set(archived()))
    eventually(lambda: visits.count(site) == 3)
    eventually(visits.failures)


def test_largest_batch_is_counted(visits: Visits, site: str, eventually: Eventually) -> None:
    size = int(parameters("local")["StreamBatchSize"])
    visits.put(*(visit(site) for _ in range(size + 1)))

    eventually(lambda: visits.count(site) > size)

    assert visits.totals(site) == {hour(NOW): (size + 1, size + 1)}
    assert visits.failures() == []
