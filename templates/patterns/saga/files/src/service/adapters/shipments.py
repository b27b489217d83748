"""Arranges shipments, and cancels them.

The table takes the place of a carrier. As with payments, a carrier's call goes before the record is
written, with the order's key as its idempotency key.
"""

from typing import TYPE_CHECKING

from service.adapters.steps import Steps
from service.domain.orders import Order
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

STEP = "shipment"


class Shipments:
    """The table of shipments, one item per order."""

    def __init__(self, steps: Steps, table: str) -> None:
        self._steps = steps
        self._table = table

    @tracer.capture_method(capture_response=False)
    def arrange(self, order: Order, shipment_id: str, now: int) -> str:
        """Arrange the order's shipment, once; returns the shipment's id."""
        shipment: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": {"order_key": {"S": order.key}},
                "UpdateExpression": "SET shipment_id = :id, sku = :sku, quantity = :quantity,"
                " country = :country, #state = :arranged, arranged_at = :now",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":id": {"S": shipment_id},
                    ":sku": {"S": order.sku},
                    ":quantity": {"N": str(order.quantity)},
                    ":country": {"S": order.country},
                    ":arranged": {"S": "arranged"},
                    ":now": {"N": str(now)},
                },
            }
        }
        return self._steps.do_once(order.key, STEP, [shipment], shipment_id, now)

    @tracer.capture_method(capture_response=False)
    def cancel(self, order: Order, now: int) -> bool:
        """Call the carrier off, if one was called; whether it was."""
        cancellation: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": {"order_key": {"S": order.key}},
                "UpdateExpression": "SET #state = :cancelled, cancelled_at = :now",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {
                    ":cancelled": {"S": "cancelled"},
                    ":now": {"N": str(now)},
                },
            }
        }
        return self._steps.undo_once(order.key, STEP, [cancellation], now)
