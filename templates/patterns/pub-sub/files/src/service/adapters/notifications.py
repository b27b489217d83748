"""Stores notifications, one per event."""

from service.domain.shipments import Notification, ShipmentEvent
from toolkit.runtime.idempotency import IdempotentWriter
from toolkit.runtime.observability import tracer


class Notifications:
    """The table of notifications."""

    def __init__(self, writer: IdempotentWriter, table: str) -> None:
        self._writer = writer
        self._table = table

    @tracer.capture_method(capture_response=False)
    def add(self, event: ShipmentEvent, notification: Notification) -> bool:
        """Store the notification of an event.

        Returns:
            False if there was one before; then nothing changes.
        """
        return self._writer.write_once(
            # Subscribers share the table of records: each has keys of its own.
            key=f"notify#{notification.caller}#{event.event_id}",
            content=event.to_json(),
            effect=[
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": {
                            "notification_id": {"S": notification.notification_id},
                            "caller": {"S": notification.caller},
                            "event_id": {"S": notification.event_id},
                            "shipment_id": {"S": notification.shipment_id},
                            "created_at": {"N": str(notification.created_at)},
                        },
                    }
                }
            ],
            now=notification.created_at,
        )
