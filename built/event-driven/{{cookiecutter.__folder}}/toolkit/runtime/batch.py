"""Processes a batch of SQS records: each is done, retried, or sent to the dead-letter queue."""

from collections.abc import Callable, Iterable
from typing import Any

from toolkit.runtime.observability import (
    MetricUnit,
    correlation_id_or,
    logger,
    metrics,
    version_metrics,
)

Record = dict[str, Any]


class PermanentError(Exception):
    """Work that can never succeed, however often it is retried."""


def process_batch(
    records: Iterable[Record],
    work: Callable[[Record], None],
    send_dead_letter: Callable[[Record, str], None],
    max_receive_count: int,
    has_time: Callable[[], bool],
) -> dict[str, list[dict[str, str]]]:
    """Do `work` on every record, and return the partial batch response that SQS expects.

    A record whose work fails permanently, or for the last time, goes to `send_dead_letter`.
    Any other failure leaves the record in the queue, for SQS to deliver again; so does running out
    of time, which would otherwise undo what the batch has done already.
    """
    records = list(records)
    # If the function crashes, this line says which messages it had.
    logger.info("took messages", message_ids=[record["messageId"] for record in records])
    to_retry = []
    failed = 0
    for record in records:
        logger.append_keys(message_id=record["messageId"], correlation_id=_correlation_id(record))
        if not has_time():
            failed += 1
            logger.warning("no time left, will be retried")
            to_retry.append({"itemIdentifier": record["messageId"]})
            continue
        try:
            work(record)
        except Exception as error:  # noqa: BLE001 (one record must not harm the others)
            failed += 1
            if not _gave_up(record, error, send_dead_letter, max_receive_count):
                to_retry.append({"itemIdentifier": record["messageId"]})
    logger.remove_keys(["message_id", "correlation_id"])
    # The answer names what failed, so Lambda does not count an error: the alarms use these.
    version_metrics.add_metric("MessagesTaken", MetricUnit.Count, len(records))
    version_metrics.add_metric("MessagesFailed", MetricUnit.Count, failed)
    return {"batchItemFailures": to_retry}


def _gave_up(
    record: Record,
    error: Exception,
    send_dead_letter: Callable[[Record, str], None],
    max_receive_count: int,
) -> bool:
    attempt = int(record["attributes"]["ApproximateReceiveCount"])
    cause = f"{type(error).__name__}: {error}"
    if not isinstance(error, PermanentError) and attempt < max_receive_count:
        logger.warning("will be retried", attempt=attempt, cause=cause, exc_info=True)
        return False
    try:
        send_dead_letter(record, cause)
    except Exception:  # noqa: BLE001 (any error: the other records continue)
        # SQS itself moves the message after the last attempt; only the cause is lost there.
        logger.exception("could not be sent to the dead-letter queue", attempt=attempt, cause=cause)
        return False
    logger.error("sent to the dead-letter queue", attempt=attempt, cause=cause)
    metrics.add_metric("MessagesDeadLettered", MetricUnit.Count, 1)
    return True


def _correlation_id(record: Record) -> str:
    given = record.get("messageAttributes", {}).get("correlation_id", {}).get("stringValue")
    return correlation_id_or(record["messageId"], given)
