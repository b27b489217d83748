"""Each customer gets one invoice per scheduled time, whatever comes twice, late or crashes."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.commands.schedule import run_now, set_state
from toolkit.local_aws.stack import Stack
from toolkit.messages import delete, messages_in, waiting
from toolkit.runtime.runs import LeaseLostError, Limits, RunMessage, Runs, State

Eventually = Callable[[Callable[[], Any]], Any]
LEASE, READ = "DynamoDB_20120810.PutItem", "DynamoDB_20120810.Scan"
WRITE, SEND = "DynamoDB_20120810.TransactWriteItems", "AmazonSQS.SendMessage"
# Times that the schedule is due at, one a day.
T1, T2, T3, T4 = (f"2026-01-0{day}T02:00:00Z" for day in range(1, 5))


class Billing:
    """What tests do with the deployed stack: each has a schedule of its own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.queue = stack.outputs["QueueUrl"]
        self.dead_letter_queue = stack.outputs["DeadLetterQueueUrl"]
        self.sqs = stack.aws.client("sqs")
        self.dynamodb = stack.aws.client("dynamodb")
        self.schedule = f"{stack.outputs['ScheduleArn'].rpartition('/')[0]}/{uuid.uuid4().hex}"
        limits = Limits(lease_seconds=3_600, catch_up_hours=1_000, max_pages=100)
        self.runs = Runs(self.dynamodb, stack.outputs["RunsTable"], limits)

    def fill(self, number: int) -> None:
        """So many customers, and no others."""
        for table in (self.stack.outputs["CustomersTable"], self.stack.outputs["InvoicesTable"]):
            keys = self.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
            for item in self.items(table):
                key = {name: item[name] for name in [found["AttributeName"] for found in keys]}
                self.dynamodb.delete_item(TableName=table, Key=key)
        for customer in range(number):
            self.dynamodb.put_item(
                TableName=self.stack.outputs["CustomersTable"],
                Item={
                    "customer_id": {"S": f"customer-{customer:03}"},
                    "daily_cents": {"N": "100"},
                    "opened_at": {"S": "2025-01-01T00:00:00Z"},
                },
            )

    def send(self, scheduled_time: str, attempt: int = 1) -> None:
        """Send what the schedule sends."""
        body = RunMessage(self.schedule, scheduled_time, str(attempt)).to_json()
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def invoices(self) -> Counter[tuple[str, str]]:
        """How many customers have an invoice, by scheduled time and by where its period starts."""
        found = self.items(self.stack.outputs["InvoicesTable"])
        return Counter((item["scheduled_time"]["S"], item["period_start"]["S"]) for item in found)

    def waiting(self) -> int:
        return waiting(self.sqs, self.queue)

    def dead_letters(self) -> list[str]:
        """The causes in the dead-letter queue; taken out."""
        with messages_in(self.sqs, self.dead_letter_queue) as found:
            for message in found:
                delete(self.sqs, self.dead_letter_queue, message)
        return [cause_of(message) for message in found]

    def logged(self, message: str, **fields: Any) -> list[dict[str, Any]]:
        """The worker's log lines about this test's schedule."""
        events = self.stack.aws.client("logs").filter_log_events(
            logGroupName=self.stack.outputs["ProcessLogGroup"]
        )["events"]
        lines = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
        return [
            line
            for line in lines
            if line.get("message") == message and fields.items() <= line.items()
        ]


@pytest.fixture
def billing(stack: Stack, eventually: Eventually) -> Iterator[Billing]:
    """The stack with twelve customers, three pages, and a schedule whose first run is over."""
    billing = Billing(stack)
    assert billing.waiting() == 0
    assert not billing.dead_letters()
    billing.fill(12)
    billing.send(T1)
    eventually(lambda: billing.waiting() == 0)
    assert not billing.invoices()
    yield billing
    assert billing.waiting() == 0


def test_same_time_delivered_again_has_no_second_effect(
    billing: Billing, eventually: Eventually
) -> None:
    """By another attempt of the schedule, and by hand."""
    billing.send(T2)
    eventually(lambda: billing.waiting() == 0)

    billing.send(T2, attempt=2)
    run_now(billing.sqs, billing.queue, billing.schedule, T2)
    billing.send(T1)
    eventually(lambda: billing.waiting() == 0)

    assert billing.invoices() == {(T2, T1): 12}
    assert len(billing.logged("nothing to do", reason="this scheduled time is complete")) >= 3
    assert not billing.dead_letters()


def test_deliveries_at_once_have_one_effect(billing: Billing, eventually: Eventually) -> None:
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda attempt: billing.send(T2, attempt), range(1, 6)))

    eventually(lambda: billing.waiting() == 0)

    assert billing.invoices() == {(T2, T1): 12}
    assert not billing.dead_letters()


def test_run_of_twenty_pages_does_each_page_once(billing: Billing, eventually: Eventually) -> None:
    """More than the 16 calls after which Lambda stops a loop that is not allowed."""
    billing.fill(100)

    billing.send(T2)

    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices() == {(T2, T1): 100}
    [first, *_] = billing.logged("run complete", run=T2)[-1:]
    pages = billing.logged("page done", run=T2, correlation_id=first["correlation_id"])
    assert sorted(line["page"] for line in pages if line["items"]) == list(range(20))


@pytest.mark.parametrize("target", [LEASE, READ, WRITE, SEND])
@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_at_any_moment_loses_and_repeats_no_page(
    billing: Billing, eventually: Eventually, target: str, moment: Any
) -> None:
    """After SEND is between handing on and answering: two messages ask for the same page."""
    billing.stack.aws.fail(target, moment)

    billing.send(T2)

    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices() == {(T2, T1): 12}
    assert not billing.dead_letters()


def test_overlapping_run_is_skipped_and_the_next_one_covers_it(
    billing: Billing, eventually: Eventually
) -> None:
    long = billing.runs.take(RunMessage(billing.schedule, T2), "somebody", int(time.time()))
    assert isinstance(long, State)

    billing.send(T3)
    eventually(lambda: billing.waiting() == 0)

    assert not billing.invoices()
    assert billing.logged("nothing to do", reason="another run is at work", scheduled_time=T3)
    billing.runs.complete(long, [])
    billing.send(T4)
    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices() == {(T4, T2): 12}
    assert not billing.dead_letters()


def test_crashed_run_is_taken_up_again_from_its_checkpoint(
    billing: Billing, eventually: Eventually
) -> None:
    """Its message is gone. The lease has expired when the next scheduled time comes."""
    hours_ago = int(time.time()) - 7_200
    crashed = billing.runs.take(RunMessage(billing.schedule, T2), "somebody", hours_ago)
    assert isinstance(crashed, State)
    items = sorted(
        item["customer_id"]["S"] for item in billing.items(billing.stack.outputs["CustomersTable"])
    )
    first = billing.dynamodb.scan(TableName=billing.stack.outputs["CustomersTable"], Limit=5)
    cursor = first["LastEvaluatedKey"]["customer_id"]["S"]
    billing.runs.hand_on(crashed, [], cursor, hours_ago)

    billing.send(T3)
    eventually(lambda: billing.waiting() == 0)

    assert billing.invoices() == {(T2, T1): len(items) - 5}
    billing.send(T4)
    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices()[T4, T2] == 12


def test_who_lost_the_lease_writes_nothing(billing: Billing, eventually: Eventually) -> None:
    hours_ago = int(time.time()) - 7_200
    stopped = billing.runs.take(RunMessage(billing.schedule, T2), "somebody", hours_ago)
    assert isinstance(stopped, State)
    billing.send(T2)
    eventually(lambda: billing.waiting() == 0)
    effect: Any = {
        "Put": {
            "TableName": billing.stack.outputs["InvoicesTable"],
            "Item": {"customer_id": {"S": "late"}, "scheduled_time": {"S": T2}},
        }
    }

    with pytest.raises(LeaseLostError):
        billing.runs.complete(stopped, [effect])

    assert billing.invoices() == {(T2, T1): 12}


def test_missed_runs_are_covered_by_the_next_one(billing: Billing, eventually: Eventually) -> None:
    billing.send(T4)

    eventually(lambda: billing.waiting() == 0)

    assert billing.invoices() == {(T4, T1): 12}
    billing.send(T3)
    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices() == {(T4, T1): 12}


@pytest.mark.parametrize(
    ("scheduled_time", "cause"),
    [
        ("2126-01-01T02:00:00Z", "is in the future"),
        ("2026-11-01T02:00:00Z", "raise it in samconfig.toml"),
        ("<aws.scheduler.scheduled-time>", "did not replace a placeholder"),
        ("2026-13-01T02:00:00Z", "is no date"),
    ],
)
def test_message_that_must_not_run_goes_to_the_dead_letter_queue(
    billing: Billing, eventually: Eventually, scheduled_time: str, cause: str
) -> None:
    billing.send(scheduled_time)

    eventually(lambda: billing.waiting() == 0)

    [found] = billing.dead_letters()
    assert cause in found
    billing.send(T2)
    eventually(lambda: billing.waiting() == 0)
    assert billing.invoices() == {(T2, T1): 12}


def test_run_that_fails_keeps_its_cause_and_goes_on_after_a_redrive(
    billing: Billing, eventually: Eventually
) -> None:
    attempts, calls_per_attempt = 3, 2
    billing.stack.aws.fail(WRITE, "throttle", times=attempts * calls_per_attempt)
    billing.send(T2)
    eventually(lambda: billing.waiting() == 0)
    with messages_in(billing.sqs, billing.dead_letter_queue) as messages:
        [message] = messages
    assert "ThrottlingException" in cause_of(message)
    assert not billing.invoices()

    assert redrive(billing.sqs, billing.dead_letter_queue, billing.queue, pause=0.05) == 1

    eventually(lambda: billing.invoices() == {(T2, T1): 12})
    eventually(lambda: billing.waiting() == 0)
    assert not billing.dead_letters()


def test_schedule_sends_its_time_and_its_name(billing: Billing, eventually: Eventually) -> None:
    """By the local Scheduler, at once. Its definition is the template's, but for the time."""
    scheduler = billing.stack.aws.client("scheduler")
    _, group, name = billing.stack.outputs["ScheduleArn"].rsplit("/", 2)
    target = scheduler.get_schedule(GroupName=group, Name=name)["Target"]
    now = datetime.now(UTC).replace(microsecond=0)
    once = uuid.uuid4().hex
    scheduler.create_schedule(
        Name=once,
        GroupName=group,
        ScheduleExpression=f"at({now:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        ActionAfterCompletion="DELETE",
    )

    eventually(lambda: billing.logged("run complete", run=f"{now:%Y-%m-%dT%H:%M:%SZ}"))

    keys = {item["schedule"]["S"] for item in billing.items(billing.stack.outputs["RunsTable"])}
    assert billing.stack.outputs["ScheduleArn"].replace(f"/{name}", f"/{once}") in keys
    eventually(lambda: billing.waiting() == 0)


def test_pause_and_resume_change_the_state_and_nothing_else(stack: Stack) -> None:
    scheduler = stack.aws.client("scheduler")
    _, group, name = stack.outputs["ScheduleArn"].rsplit("/", 2)

    def definition() -> dict[str, Any]:
        found: dict[str, Any] = scheduler.get_schedule(GroupName=group, Name=name)
        return {
            k: v for k, v in found.items() if k not in ("ResponseMetadata", "LastModificationDate")
        }

    before = definition()

    assert set_state(scheduler, stack.outputs["ScheduleArn"], "ENABLED") == "DISABLED"
    assert definition() == before | {"State": "ENABLED"}
    assert set_state(scheduler, stack.outputs["ScheduleArn"], "DISABLED") == "ENABLED"
    assert definition() == before
