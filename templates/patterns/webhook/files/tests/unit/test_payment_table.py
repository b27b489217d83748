"""A payment is stored whole, once per delivery, and never over a later event."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.payments import Outcome, Payments
from service.domain.deliveries import Delivery
from service.domain.payments import Payment
from toolkit.testing import Trace

DELIVERY = Delivery("delivery-1", "application/json", "", b"{}")
PAYMENT = Payment("payment-1", "paid", 1250, "EUR", position=2_000)


class Writer:
    """Stands in for the idempotent writer."""

    def __init__(self, answer: bool | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def write_once(self, **asked: Any) -> bool:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def store(writer: Any) -> Outcome:
    return Payments(writer, "payments").store(DELIVERY, PAYMENT, now=1_000)


def test_every_field_is_stored_under_its_name_unless_a_later_event_is_there() -> None:
    writer = Writer(answer=True)

    store(writer)

    [asked] = writer.asked
    [put] = asked.pop("effect")
    assert asked == {
        "key": "stored#delivery-1",
        "content": DELIVERY.fingerprint,
        "now": 1_000,
    }
    assert put["Put"] == {
        "TableName": "payments",
        "Item": {
            "payment_id": {"S": "payment-1"},
            "status": {"S": "paid"},
            "amount": {"N": "1250"},
            "currency": {"S": "EUR"},
            "position": {"N": "2000"},
            "delivery_id": {"S": "delivery-1"},
        },
        "ConditionExpression": "attribute_not_exists(payment_id) OR #position < :position",
        "ExpressionAttributeNames": {"#position": "position"},
        "ExpressionAttributeValues": {":position": {"N": "2000"}},
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (True, Outcome.STORED),
        (False, Outcome.DUPLICATE),
        (cancelled("None", "ConditionalCheckFailed"), Outcome.OUTDATED),
    ],
)
def test_outcome_says_what_became_of_the_event(answer: Any, outcome: Outcome) -> None:
    assert store(Writer(answer)) is outcome


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "ThrottlingError"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems"),
    ],
)
def test_other_errors_are_raised(error: ClientError) -> None:
    with pytest.raises(ClientError):
        store(Writer(error))


def test_storing_is_traced(trace: Trace) -> None:
    store(Writer(answer=True))

    assert trace == {"## service.adapters.payments.Payments.store": {}}
