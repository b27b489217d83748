"""Tables and queue are asked as AWS expects it, and everything is stored under its name."""

from typing import Any

import boto3
import pytest

from service.adapters.customers import Customers
from service.adapters.invoices import Invoices
from service.adapters.run_queue import RunQueue
from service.domain.invoices import Customer, Invoice
from toolkit.runtime.runs import RunMessage
from toolkit.testing import AwsAnswers, Trace

ITEM: dict[str, Any] = {
    "customer_id": {"S": "a"},
    "daily_cents": {"N": "240"},
    "opened_at": {"S": "2026-01-01T00:00:00Z"},
}


@pytest.fixture
def customers() -> Customers:
    return Customers(boto3.client("dynamodb", region_name="eu-west-1"), "customers")


def test_page_begins_after_the_cursor(customers: Customers, aws_answers: AwsAnswers) -> None:
    asked = aws_answers(
        {"Scan": [{"Items": [ITEM], "LastEvaluatedKey": {"customer_id": {"S": "a"}}}]}
    )

    page, is_more = customers.after("0", 50)

    assert (page, is_more) == ([Customer("a", 240, "2026-01-01T00:00:00Z")], True)
    [(_, parameters)] = asked
    assert parameters["ExclusiveStartKey"] == {"customer_id": {"S": "0"}}
    assert parameters["Limit"] == 50


def test_first_page_has_no_cursor_and_the_last_none_after_it(
    customers: Customers, aws_answers: AwsAnswers
) -> None:
    asked = aws_answers({"Scan": [{"Items": []}]})

    assert customers.after("", 50) == ([], False)
    assert "ExclusiveStartKey" not in asked[0][1]


def test_every_field_of_an_invoice_is_stored_under_its_name() -> None:
    invoice = Invoice("a", "2026-01-02T02:00:00Z", "2026-01-01T02:00:00Z", 240)

    put = Invoices("invoices").put(invoice)["Put"]

    assert put["TableName"] == "invoices"
    assert put["Item"] == {
        "customer_id": {"S": "a"},
        "scheduled_time": {"S": "2026-01-02T02:00:00Z"},
        "period_start": {"S": "2026-01-01T02:00:00Z"},
        "amount_cents": {"N": "240"},
    }


def test_next_page_carries_the_correlation_id_of_its_run(
    aws_answers: AwsAnswers, trace: Trace
) -> None:
    asked = aws_answers({"SendMessage": [{"MessageId": "1"}]})
    message = RunMessage("arn:aws:scheduler:eu-west-1:123456789012:schedule/a/b", "2026", page=3)

    RunQueue(boto3.client("sqs", region_name="eu-west-1"), "https://queue").send(message, "first")

    [(_, parameters)] = asked
    assert parameters["MessageBody"] == message.to_json()
    assert parameters["MessageAttributes"]["correlation_id"]["StringValue"] == "first"
    assert trace == {"## service.adapters.run_queue.RunQueue.send": {}}
