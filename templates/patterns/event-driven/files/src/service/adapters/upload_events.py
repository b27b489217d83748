"""Reads what EventBridge delivered of S3: the event of a new object."""

import msgspec
from msgspec import Struct

from service.domain.surveys import InvalidSurveyError, Upload


class _Bucket(Struct):
    name: str


class _Object(Struct):
    # As it is: S3 encodes keys in its own notifications, but not in those of EventBridge.
    # docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    key: str
    size: int
    etag: str
    sequencer: str


class _Detail(Struct):
    bucket: _Bucket
    object: _Object


class _Event(Struct):
    detail: _Detail


def upload_in(body: str) -> Upload:
    """The new object that an event tells of.

    Raises:
        InvalidSurveyError: the text is no such event.
    """
    try:
        detail = msgspec.json.decode(body, type=_Event).detail
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidSurveyError(f"not an event of a new object: {error}") from error
    found = detail.object
    return Upload(detail.bucket.name, found.key, found.size, found.etag, found.sequencer)
