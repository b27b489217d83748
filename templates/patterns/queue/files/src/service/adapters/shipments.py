"""Stores shipments, one per order."""

from service.domain.orders import Order, Shipment
from toolkit.runtime.idempotency import IdempotentWriter
from toolkit.runtime.observability import tracer


class Shipments:
    """The table of shipments."""

    def __init__(self, writer: IdempotentWriter, table: str) -> None:
        self._writer = writer
        self._table = table

    @tracer.capture_method(capture_response=False)
    def add(self, order: Order, shipment: Shipment) -> bool:
        """Store the shipment of an order.

        Returns:
            False if the order was shipped before; then nothing changes.
        """
        return self._writer.write_once(
            key=f"{shipment.caller}#{order.order_id}",
            content=order.to_json(),
            effect=[
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": {
                            "shipment_id": {"S": shipment.shipment_id},
                            "caller": {"S": shipment.caller},
                            "order_id": {"S": shipment.order_id},
                            "sku": {"S": shipment.sku},
                            "quantity": {"N": str(shipment.quantity)},
                            "created_at": {"N": str(shipment.created_at)},
                        },
                    }
                }
            ],
            now=shipment.created_at,
        )
