"""Surveys: what is in an uploaded file, which version of it is the newest, and what others hear."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from toolkit.runtime.fields import InvalidFieldsError, read, text

PROCESSED = "survey.processed"
# Longer than any sequencer that S3 sends: its events show 16 to 18 digits.
LONGEST_SEQUENCER = 64
# Memory for one line is bounded too.
LONGEST_LINE = 1_000
LARGEST_NUMBER = 1_000_000
# docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html: 1,024 bytes in UTF-8.
_LONGEST_KEY = 1_024


class InvalidSurveyError(Exception):
    """The file is no survey; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A new object in the bucket."""

    bucket: str
    key: str
    size: int
    etag: str
    sequencer: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in the newest version of a file."""

    object_key: str
    etag: str
    sequencer: str
    lines: int
    total: int


Key = Annotated[str, Meta(min_length=1, max_length=_LONGEST_KEY, description="the object's key")]
Count = Annotated[int, Meta(ge=0, description="a whole number from 0")]
EventId = Annotated[str, text("[0-9a-f]{32}", "32 hexadecimal digits")]
Correlation = Annotated[str, text("[A-Za-z0-9._-]{1,64}", "1 to 64 letters, digits or ._-")]


class SurveyProcessed(Struct, frozen=True):
    """The event `survey.processed`. Consumers know an event again by its `event_id`."""

    event_id: EventId
    object_key: Key
    etag: str
    lines: Count
    total: Count
    correlation_id: Correlation

    def to_json(self) -> str:
        """The event as text."""
        return msgspec.json.encode(self).decode()


def comparable(sequencer: str) -> str:
    """A sequencer as text that sorts in the order of events for its key.

    Sequencers have different lengths: the shorter is padded on the right with zeros, and both are
    compared as text. repost.aws/knowledge-center/s3-duplicate-sqs-messages

    Raises:
        InvalidSurveyError: it is empty or too long to compare.
    """
    if not 0 < len(sequencer) <= LONGEST_SEQUENCER:
        raise InvalidSurveyError(
            f"the sequencer must have 1 to {LONGEST_SEQUENCER} digits: {sequencer[:80]!r}"
        )
    return sequencer.ljust(LONGEST_SEQUENCER, "0")


def summarize(upload: Upload, chunks: Iterable[bytes]) -> Survey:
    """Count the lines of a file and sum their numbers, without holding more than a chunk of it.

    A line is a name, a comma and a whole number. Replace this with your service's own logic.

    Raises:
        InvalidSurveyError: a line is something else.
    """
    lines, total, rest = 0, 0, b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            lines += 1
            total += _number_in(line, lines)
        if len(rest) > LONGEST_LINE:
            raise InvalidSurveyError(f"line {lines + 1} is longer than {LONGEST_LINE} bytes")
    if rest:
        lines += 1
        total += _number_in(rest, lines)
    return Survey(upload.key, upload.etag, comparable(upload.sequencer), lines, total)


def _number_in(line: bytes, place: int) -> int:
    name, comma, number = line.removesuffix(b"\r").rpartition(b",")
    # isdigit() of bytes knows the digits 0 to 9 alone.
    if not (name and comma and number.isdigit() and len(number) <= len(str(LARGEST_NUMBER))):
        raise InvalidSurveyError(f"line {place} must be a name, a comma and a whole number")
    if int(number) > LARGEST_NUMBER:
        raise InvalidSurveyError(f"the number in line {place} must be at most {LARGEST_NUMBER}")
    return int(number)


def processed(survey: Survey, correlation_id: str) -> SurveyProcessed:
    """The event that tells of a survey: the same version of a file always has the same id."""
    version = f"{survey.object_key}\n{survey.sequencer}"
    return SurveyProcessed(
        event_id=hashlib.sha256(version.encode()).hexdigest()[:32],
        object_key=survey.object_key,
        etag=survey.etag,
        lines=survey.lines,
        total=survey.total,
        correlation_id=correlation_id,
    )


def check_event(detail_type: str, detail: str) -> None:
    """Hold an event against its schema, before it is published.

    Raises:
        InvalidFieldsError: it is not as its type says, or has fields that the schema does not know.
    """
    if detail_type != PROCESSED:
        raise InvalidFieldsError([f"no schema is known for the type {detail_type[:100]!r}"])
    read(detail, SurveyProcessed)


def parse_processed(detail: bytes) -> SurveyProcessed:
    """Read an event as a consumer does: fields that were added later are ignored.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    try:
        return msgspec.json.decode(detail, type=SurveyProcessed)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidFieldsError([str(error)]) from error
