"""Puts records on a Kinesis stream, and sends again only those that Kinesis did not take."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef as Entry

# docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html: 500 records, and 10 MiB with
# their partition keys. Half of it: smaller requests fail less often.
MOST_RECORDS, MOST_BYTES = 500, 5 * 1_024 * 1_024
# A shard takes a second's worth of data each second: these pauses last several seconds in all.
ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0


class RecordsRefusedError(Exception):
    """Kinesis did not take some records, however often they were sent."""

    def __init__(self, entries: "Sequence[Entry]", codes: set[str]) -> None:
        super().__init__(f"{len(entries)} records were not taken: {', '.join(sorted(codes))}")
        self.entries = entries


def put_records(
    kinesis: "KinesisClient",
    stream: str,
    entries: "Sequence[Entry]",
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once Kinesis has stored all records, each under its own partition key.

    PutRecords takes some records and refuses others, for example when a shard is busy. A record
    that is sent again comes after later ones of its key.

    Raises:
        RecordsRefusedError: some were refused each time; all others are stored.
    """
    for request in _requests(entries):
        left, longest = request, _FIRST_PAUSE
        for attempt in range(ATTEMPTS):
            results = kinesis.put_records(StreamName=stream, Records=left)["Records"]
            pairs = list(zip(left, results, strict=True))
            left = [entry for entry, result in pairs if result.get("ErrorCode")]
            if not left:
                break
            codes = {code for _, result in pairs if (code := result.get("ErrorCode"))}
            if attempt == ATTEMPTS - 1:
                raise RecordsRefusedError(left, codes)
            sleep(random.uniform(0, longest))  # noqa: S311 (no secret)
            longest = min(2 * longest, _LONGEST_PAUSE)


def _requests(entries: "Sequence[Entry]") -> "Iterator[list[Entry]]":
    """The entries, as many at a time as one request may hold."""
    request: list[Entry] = []
    size = 0
    for entry in entries:
        bytes_of_entry = len(cast("bytes", entry["Data"])) + len(entry["PartitionKey"].encode())
        if request and (len(request) == MOST_RECORDS or size + bytes_of_entry > MOST_BYTES):
            yield request
            request, size = [], 0
        request.append(entry)
        size += bytes_of_entry
    if request:
        yield request
