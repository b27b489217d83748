"""Takes events of new objects from the queue, and writes what is in each object once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from service.adapters.surveys import Outcome, Surveys
from service.adapters.upload_events import upload_in
from service.adapters.uploads import GoneError, OverwrittenError, Uploads
from service.domain.surveys import InvalidSurveyError, Upload, processed, summarize
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.batch import PermanentError, process_batch
from toolkit.runtime.dead_letters import dead_letter_sender
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, tracer
from toolkit.runtime.transactions import CONFLICT_SECONDS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    uploads_bucket: str
    largest_bytes: int
    surveys_table: str
    outbox_table: str
    dead_letter_queue_url: str
    max_receive_count: int


# A call to store the survey, and if that fails, one to send the dead letter.
LONGEST_END_SECONDS = CONFLICT_SECONDS + 2 * LONGEST_CALL_SECONDS
# Before that, a call to open the object.
LONGEST_RECORD_SECONDS = LONGEST_CALL_SECONDS + LONGEST_END_SECONDS

settings = read_settings(Settings)
uploads = Uploads(client("s3"), settings.uploads_bucket)
surveys = Surveys(client("dynamodb"), settings.surveys_table, settings.outbox_table)
send_dead_letter = dead_letter_sender(client("sqs"), settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Process the objects of a batch, and name the messages that SQS must deliver again."""

    def has(seconds: int) -> bool:
        return context.get_remaining_time_in_millis() > seconds * 1_000

    return process_batch(
        event["Records"],
        partial(process_upload, has_time=lambda: has(LONGEST_END_SECONDS)),
        send_dead_letter,
        settings.max_receive_count,
        has_time=lambda: has(LONGEST_RECORD_SECONDS),
    )


@tracer.capture_method(capture_response=False)
def process_upload(record: dict[str, Any], has_time: Callable[[], bool]) -> None:
    """Process the object that one record tells of, unless that or a newer version was before."""
    try:
        upload = checked(upload_in(record["body"]))
        survey = summarize(upload, uploads.open(upload, has_time))
    except OverwrittenError:
        older(upload.key, "overwritten before it was read")
        return
    except (GoneError, InvalidSurveyError) as error:
        raise PermanentError(str(error)) from error
    event = processed(survey, record["messageId"])
    match surveys.save(survey, event):
        case Outcome.STORED:
            logger.info("processed", object_key=upload.key, event_id=event.event_id)
            metrics.add_metric("MessagesProcessed", MetricUnit.Count, 1)
        case Outcome.DUPLICATE:
            logger.info("duplicate", object_key=upload.key, event_id=event.event_id)
            metrics.add_metric("DuplicateMessages", MetricUnit.Count, 1)
        case Outcome.OLDER:
            older(upload.key, "a newer version was processed before")


def checked(upload: Upload) -> Upload:
    """What the rule lets through; others could only come by hand."""
    if upload.bucket != settings.uploads_bucket:
        raise InvalidSurveyError(f"the object is in the bucket {upload.bucket[:63]!r}, not in ours")
    if not 0 < upload.size <= settings.largest_bytes:
        raise InvalidSurveyError(
            f"the object has {upload.size} bytes: from 1 to {settings.largest_bytes} are read"
        )
    return upload


def older(key: str, reason: str) -> None:
    """An event that is not the newest of its key changes nothing."""
    logger.info("older version ignored", object_key=key, reason=reason)
    metrics.add_metric("OlderVersions", MetricUnit.Count, 1)
