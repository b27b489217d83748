"""The sample events in events/ are events that the functions understand."""

import json
from datetime import UTC, datetime
from pathlib import Path

from service.domain.visits import Visit, parse_visit
from toolkit.runtime.stream_batch import arrival_of, text_of

EVENTS = Path(__file__).resolve().parents[2] / "events"


def test_sample_batch_has_a_valid_visit() -> None:
    [record] = json.loads((EVENTS / "aggregate.json").read_text("utf-8"))["Records"]

    visit = parse_visit(text_of(record))

    happened_at = datetime(2026, 1, 1, 11, 59, 59, tzinfo=UTC)
    assert visit == Visit("event-1", "shop", 2, happened_at)
    assert arrival_of(record) == happened_at.timestamp() + 1
    assert record["kinesis"]["partitionKey"] == visit.site
