"""Takes visits from the stream and adds each of them to its site and hour exactly once."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.totals import Totals
from service.domain.visits import Limits, Placed, TimeOutOfRangeError, parse_visit, place
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.failures import failure_keeper
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.observability import MetricUnit, metrics, observed
from toolkit.runtime.once_per_event import OncePerEvent
from toolkit.runtime.stream_batch import (
    PermanentError,
    arrival_of,
    process_stream_batch,
    text_of,
)
from toolkit.runtime.transactions import CONFLICT_SECONDS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    totals_table: str
    idempotency_table: str
    idempotency_days: int
    failures_bucket: str
    oldest_event_seconds: int
    clock_skew_seconds: int


# A transaction that finds events counted before, and one without them.
LONGEST_CHUNK_SECONDS = 2 * (CONFLICT_SECONDS + LONGEST_CALL_SECONDS)

settings = read_settings(Settings)
totals = Totals(
    OncePerEvent(client("dynamodb"), settings.idempotency_table, settings.idempotency_days),
    settings.totals_table,
)
keep_failure = failure_keeper(client("s3"), settings.failures_bucket)
limits = Limits(settings.oldest_event_seconds, settings.clock_skew_seconds)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Count the visits of a batch, and name the record from which Lambda must retry it."""
    return process_stream_batch(
        event["Records"],
        read_visit,
        count_visits,
        keep_failure,
        has_time=lambda: context.get_remaining_time_in_millis() > LONGEST_CHUNK_SECONDS * 1_000,
    )


def read_visit(record: dict[str, Any]) -> Placed:
    """Read the visit in one record."""
    try:
        return place(parse_visit(text_of(record)), arrival_of(record), limits)
    except (InvalidFieldsError, TimeOutOfRangeError) as error:
        raise PermanentError(str(error)) from error


def count_visits(placed: Sequence[Placed]) -> dict[int, str]:
    """Add visits to their totals: why some were refused, by their place in the sequence."""
    written = totals.add(placed, int(time.time()))
    late = sum(placed[number].is_late for number in written.new)
    metrics.add_metric("EventsCounted", MetricUnit.Count, len(written.new))
    metrics.add_metric("DuplicateEvents", MetricUnit.Count, len(written.duplicates))
    metrics.add_metric("LateEvents", MetricUnit.Count, late)
    return written.refused
