"""Stores payments, each as its latest event left it."""

from enum import Enum

from botocore.exceptions import ClientError

from service.domain.deliveries import Delivery
from service.domain.payments import Payment
from toolkit.runtime.idempotency import IdempotentWriter
from toolkit.runtime.observability import tracer
from toolkit.runtime.transactions import cancellation_reasons


class Outcome(Enum):
    """What became of an event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    OUTDATED = "outdated"


class Payments:
    """The table of payments."""

    def __init__(self, writer: IdempotentWriter, table: str) -> None:
        self._writer = writer
        self._table = table

    @tracer.capture_method(capture_response=False)
    def store(self, delivery: Delivery, payment: Payment, now: int) -> Outcome:
        """Store a payment once per delivery, and never over a later event.

        Raises:
            KeyReusedError: the delivery's id came with a different body.
        """
        try:
            is_new = self._writer.write_once(
                key=f"stored#{delivery.delivery_id}",
                content=delivery.fingerprint,
                effect=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": {
                                "payment_id": {"S": payment.payment_id},
                                "status": {"S": payment.status},
                                "amount": {"N": str(payment.amount)},
                                "currency": {"S": payment.currency},
                                "position": {"N": str(payment.position)},
                                "delivery_id": {"S": delivery.delivery_id},
                            },
                            # `position` is a reserved word of DynamoDB.
                            "ConditionExpression": (
                                "attribute_not_exists(payment_id) OR #position < :position"
                            ),
                            "ExpressionAttributeNames": {"#position": "position"},
                            "ExpressionAttributeValues": {
                                ":position": {"N": str(payment.position)}
                            },
                        }
                    }
                ],
                now=now,
            )
        except ClientError as error:
            [*_, of_payment] = cancellation_reasons(error) or [{}]
            if of_payment.get("Code") != "ConditionalCheckFailed":
                raise
            return Outcome.OUTDATED
        return Outcome.STORED if is_new else Outcome.DUPLICATE
