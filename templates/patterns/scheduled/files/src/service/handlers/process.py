"""Takes runs from the queue: bills a page of customers, and hands the rest on to the same queue."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.customers import Customers
from service.adapters.invoices import Invoices
from service.adapters.run_queue import RunQueue
from service.domain.invoices import Customer, Invoice, bill
from toolkit.runtime.aws import LONGEST_CALL_SECONDS, client
from toolkit.runtime.batch import PermanentError, process_batch
from toolkit.runtime.dead_letters import CAUSE, dead_letter_sender
from toolkit.runtime.environment import read_settings
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, tracer
from toolkit.runtime.runs import Limits, Passed, RefusedRunError, Runs, State, parse_run
from toolkit.runtime.transactions import CONFLICT_SECONDS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    runs_table: str
    customers_table: str
    invoices_table: str
    queue_url: str
    dead_letter_queue_url: str
    max_receive_count: int
    page_size: int
    max_pages: int
    lease_seconds: int
    catch_up_hours: int


# The time that it takes to write what is done, and to hand the rest on or send the dead letter.
MARGIN_SECONDS = CONFLICT_SECONDS + 2 * LONGEST_CALL_SECONDS

settings = read_settings(Settings)
_dynamodb, _sqs = client("dynamodb"), client("sqs")
limits = Limits(settings.lease_seconds, settings.catch_up_hours, settings.max_pages)
runs = Runs(_dynamodb, settings.runs_table, limits)
customers = Customers(_dynamodb, settings.customers_table)
invoices = Invoices(settings.invoices_table)
queue = RunQueue(_sqs, settings.queue_url)
send_dead_letter = dead_letter_sender(_sqs, settings.dead_letter_queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Do a page for each message, and name those that SQS must deliver again."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > MARGIN_SECONDS * 1_000

    return process_batch(
        event["Records"],
        lambda record: do_page(record, has_time),
        send_dead_letter,
        settings.max_receive_count,
        has_time,
    )


@tracer.capture_method(capture_response=False)
def do_page(record: dict[str, Any], has_time: Callable[[], bool]) -> None:
    """Do the page that is next in the run that a message asks for, unless there is none."""
    try:
        message = parse_run(record["body"])
        redriven = CAUSE in record.get("messageAttributes", {})
        run = runs.take(message, record["messageId"], int(time.time()), redriven=redriven)
    except (InvalidFieldsError, RefusedRunError) as error:
        raise PermanentError(str(error)) from error
    logger.append_keys(scheduled_time=message.scheduled_time, attempt=message.attempt)
    if isinstance(run, Passed):
        _pass(run)
        return
    if run.scheduled_time != message.scheduled_time:
        # What had it crashed. This message takes its place, and its own time is for the next run.
        logger.warning("taken up again", run=run.scheduled_time, page=run.page)
        metrics.add_metric("RunsSkipped", MetricUnit.Count, 1)
    page, is_more = customers.after(run.cursor, settings.page_size)
    done, bills = bill_page(page, run, has_time)
    effects = [invoices.put(invoice) for invoice in bills]
    if is_more or done < len(page):
        cursor = page[done - 1].customer_id if done else run.cursor
        rest = runs.hand_on(run, effects, cursor, int(time.time()))
        # Whatever happens from here on, SQS delivers this message again, which still has the lease.
        queue.send(rest, _correlation_of(record))
    else:
        runs.complete(run, effects)
        logger.info("run complete", run=run.scheduled_time, since=run.since, pages=run.page + 1)
        metrics.add_metric("RunsCompleted", MetricUnit.Count, 1)
    logger.info("page done", run=run.scheduled_time, page=run.page, items=len(bills))
    metrics.add_metric("PagesInRun", MetricUnit.Count, run.page + 1)
    metrics.add_metric("ItemsProcessed", MetricUnit.Count, len(bills))


def bill_page(
    page: list[Customer], run: State, has_time: Callable[[], bool]
) -> tuple[int, list[Invoice]]:
    """Bill customers as long as there is time: how many of them were seen, and their invoices."""
    bills: list[Invoice] = []
    for done, customer in enumerate(page):
        if not has_time():
            logger.warning("no time left, handed on", run=run.scheduled_time, page=run.page)
            return done, bills
        if invoice := bill(customer, run.since, run.scheduled_time):
            bills.append(invoice)
    return len(page), bills


def _pass(reason: Passed) -> None:
    logger.info("nothing to do", reason=reason.value)
    if reason is Passed.OVERLAPS:
        metrics.add_metric("RunsSkipped", MetricUnit.Count, 1)
    else:
        metrics.add_metric("DuplicateMessages", MetricUnit.Count, 1)


def _correlation_of(record: dict[str, Any]) -> str:
    """The id of the run's first message, which is on every log line of the run."""
    given = record.get("messageAttributes", {}).get("correlation_id", {})
    return str(given.get("stringValue", record["messageId"]))
