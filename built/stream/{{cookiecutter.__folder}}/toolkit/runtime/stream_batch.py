"""Processes a batch of a Kinesis stream: done, kept as failures, or retried in order."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from toolkit.runtime.aws import is_transient
from toolkit.runtime.observability import MetricUnit, logger, metrics, version_metrics
from toolkit.runtime.once_per_event import MOST_WRITES

Record = dict[str, Any]
T = TypeVar("T")

# Records that are written together: each takes a record of its own and at most one other write.
CHUNK = MOST_WRITES // 2
# A record may have 1 MiB, or 10 after UpdateMaxRecordSize; an event of ours is much smaller.
LARGEST_BYTES = 65_536


class PermanentError(Exception):
    """A record that can never succeed, however often it is retried."""


def text_of(record: Record) -> str:
    """The text in a record.

    Raises:
        PermanentError: it is too large, or no text.
    """
    try:
        data = base64.b64decode(record["kinesis"]["data"], validate=True)
        if len(data) > LARGEST_BYTES:
            raise PermanentError(f"the record has {len(data)} bytes, more than {LARGEST_BYTES}")
        return data.decode()
    except (binascii.Error, UnicodeDecodeError):
        raise PermanentError("the record must be UTF-8 text") from None


def arrival_of(record: Record) -> int:
    """When Kinesis took the record, in seconds since the epoch: the same for each delivery."""
    return int(record["kinesis"]["approximateArrivalTimestamp"])


def process_stream_batch(
    records: Sequence[Record],
    read: Callable[[Record], T],
    write: Callable[[list[T]], Mapping[int, str]],
    keep_failure: Callable[[Record, str], None],
    has_time: Callable[[], bool],
) -> dict[str, list[dict[str, str]]]:
    """Process records in order, and return the partial batch response that Lambda expects.

    - A record that `read` refuses with a PermanentError, or `write` with a cause, goes to
      `keep_failure`, and the batch goes on.
    - At a temporary error of AWS, and when time runs out, the batch stops. Lambda retries from the
      first record that is not done, so no record overtakes another one of its key.
    - Any other error is raised. Lambda then splits the batch until the record that causes it is
      alone, and retries that one until it goes to the on-failure destination.
    """
    if records:
        # If the function crashes, this line says which records it had.
        first, last = (sequence_number_of(records[place]) for place in (0, -1))
        logger.info("took records", count=len(records), first=first, last=last)
    run = _Run(read, write, keep_failure)
    retry_from = None
    for start in range(0, len(records), CHUNK):
        if not has_time():
            retry_from = start
            logger.warning("no time left, will be retried")
            break
        stopped_at = run.process(records[start : start + CHUNK])
        if stopped_at is not None:
            retry_from = start + stopped_at
            break
    # The answer names where it stopped, so Lambda does not count an error: the alarms use these.
    stopped = retry_from is not None
    looked_at = len(records) if retry_from is None else retry_from + 1
    version_metrics.add_metric("RecordsTaken", MetricUnit.Count, looked_at)
    version_metrics.add_metric("RecordsFailed", MetricUnit.Count, run.kept + stopped)
    metrics.add_metric("RecordsKept", MetricUnit.Count, run.kept)
    if retry_from is None:
        return {"batchItemFailures": []}
    return {"batchItemFailures": [{"itemIdentifier": sequence_number_of(records[retry_from])}]}


def sequence_number_of(record: Record) -> str:
    """What tells a record from all others of its shard, in their order."""
    return str(record["kinesis"]["sequenceNumber"])


class _Run:
    """One batch on its way."""

    def __init__(
        self,
        read: Callable[[Record], T],
        write: Callable[[list[T]], Mapping[int, str]],
        keep_failure: Callable[[Record, str], None],
    ) -> None:
        self._read: Callable[[Record], Any] = read
        self._write: Callable[[list[Any]], Mapping[int, str]] = write
        self._keep_failure = keep_failure
        self.kept = 0

    def process(self, chunk: Sequence[Record]) -> int | None:
        """Process some records; the place of the one to retry from, if there is one."""
        values, places, stopped_at = [], [], None
        for place, record in enumerate(chunk):
            try:
                values.append(self._read(record))
                places.append(place)
            except PermanentError as error:
                if not self._kept(record, str(error)):
                    # What comes before it can be done; what comes after it has to wait.
                    stopped_at = place
                    break
        if not values:
            return stopped_at
        try:
            refused = self._write(values)
        except Exception as error:
            if not is_transient(error):
                raise
            logger.warning("will be retried", cause=f"{type(error).__name__}: {error}")
            return places[0]
        for number in sorted(refused):
            if not self._kept(chunk[places[number]], refused[number]):
                return places[number]
        return stopped_at

    def _kept(self, record: Record, cause: str) -> bool:
        number = sequence_number_of(record)
        try:
            self._keep_failure(record, cause)
        except Exception as error:
            if not is_transient(error):
                raise
            logger.warning("the failure could not be kept", sequence_number=number, cause=cause)
            return False
        logger.error("kept as a failure", sequence_number=number, cause=cause)
        self.kept += 1
        return True
