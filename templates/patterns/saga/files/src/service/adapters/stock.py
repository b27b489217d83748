"""Takes the goods of an order out of the stock, and puts them back."""

from typing import TYPE_CHECKING

from service.adapters.steps import EffectRefusedError, Steps
from service.domain.orders import Order, OutOfStockError
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

STEP = "stock"


class Stock:
    """The table of stock, one item per sku."""

    def __init__(self, steps: Steps, table: str) -> None:
        self._steps = steps
        self._table = table

    @tracer.capture_method(capture_response=False)
    def reserve(self, order: Order, reservation_id: str, now: int) -> str:
        """Take the order's quantity, once; returns the reservation's id.

        Raises:
            OutOfStockError: there is not enough of it.
        """
        take = self._change("available - :quantity", "available >= :quantity", order)
        try:
            return self._steps.do_once(order.key, STEP, [take], reservation_id, now)
        except EffectRefusedError:
            raise OutOfStockError(f"fewer than {order.quantity} of {order.sku}") from None

    @tracer.capture_method(capture_response=False)
    def release(self, order: Order, now: int) -> bool:
        """Put it back, if it was taken; whether it was."""
        put_back = self._change("available + :quantity", "attribute_exists(sku)", order)
        return self._steps.undo_once(order.key, STEP, [put_back], now)

    def _change(self, available: str, condition: str, order: Order) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"sku": {"S": order.sku}},
                "UpdateExpression": f"SET available = {available}",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {":quantity": {"N": str(order.quantity)}},
            }
        }
