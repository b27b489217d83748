"""Reads objects of the bucket, part by part."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.domain.surveys import Upload
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 64 * 1_024
# Without s3:ListBucket, S3 answers 403 for an object that does not exist: API reference of
# GetObject, "Permissions". This function has no use for lists.
_GONE = ("AccessDenied", "NoSuchKey", "NoSuchVersion")


class OverwrittenError(Exception):
    """The object has another content by now: its own event follows."""


class GoneError(Exception):
    """The object does not exist any more, or may not be read."""


class NoTimeLeftError(Exception):
    """The function would not live long enough to write down what it read."""


class Uploads:
    """The bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @tracer.capture_method(capture_response=False)
    def open(self, upload: Upload, has_time: Callable[[], bool]) -> Iterator[bytes]:
        """The content of exactly that version of an object, in parts.

        Raises:
            OverwrittenError: the key has another content by now.
            GoneError: it was deleted.
            NoTimeLeftError: while reading, `has_time` said no.
        """
        try:
            # The event's ETag, not its version: a version that is overwritten could still be read,
            # and that takes another permission.
            found = self._s3.get_object(
                Bucket=self._bucket, Key=upload.key, IfMatch=f'"{upload.etag}"'
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                raise OverwrittenError(upload.key) from error
            if code in _GONE:
                raise GoneError(
                    f"the object was deleted, or this function may not read it ({code})"
                ) from error
            raise
        return _parts(found["Body"].read, has_time)


def _parts(read: Callable[[int], bytes], has_time: Callable[[], bool]) -> Iterator[bytes]:
    while chunk := read(CHUNK_BYTES):
        if not has_time():
            raise NoTimeLeftError("the object takes longer to read than this function has left")
        yield chunk
