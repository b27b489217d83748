"""Takes payments, and gives the money back.

The table takes the place of a provider. A provider's call goes before the record is written, with
the order's key as its idempotency key: it is the provider then that makes a repeated call one
payment, and it must accept the cancellation of a payment that it does not know yet.
"""

from typing import TYPE_CHECKING

from service.adapters.steps import Steps
from service.domain.orders import Order
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

STEP = "payment"


class Payments:
    """The table of payments, one item per order."""

    def __init__(self, steps: Steps, table: str) -> None:
        self._steps = steps
        self._table = table

    @tracer.capture_method(capture_response=False)
    def take(self, order: Order, payment_id: str, now: int) -> str:
        """Take the order's amount, once; returns the payment's id."""
        payment: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": {"order_key": {"S": order.key}},
                "UpdateExpression": "SET payment_id = :id, amount = :amount,"
                " #state = :taken, taken_at = :now",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":id": {"S": payment_id},
                    ":amount": {"N": str(order.amount)},
                    ":taken": {"S": "taken"},
                    ":now": {"N": str(now)},
                },
            }
        }
        return self._steps.do_once(order.key, STEP, [payment], payment_id, now)

    @tracer.capture_method(capture_response=False)
    def refund(self, order: Order, now: int) -> bool:
        """Give the money back, if it was taken; whether it was. The payment stays on record."""
        refund: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": {"order_key": {"S": order.key}},
                "UpdateExpression": "SET #state = :refunded, refunded_at = :now",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":refunded": {"S": "refunded"},
                    ":now": {"N": str(now)},
                },
            }
        }
        return self._steps.undo_once(order.key, STEP, [refund], now)
