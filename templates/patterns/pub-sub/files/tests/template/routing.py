"""Which message goes to which subscribers: read by tests of the template and on the local AWS.

A message is written down as its attributes; SNS's filters look at nothing else.
"""

from typing import Any

from service.domain.shipments import EventType

Attributes = dict[str, Any]


def of_type(value: str, data_type: str = "String") -> Attributes:
    return {"type": {"DataType": data_type, "StringValue": value}}


CALLER = {"caller": {"DataType": "String", "StringValue": "somebody"}}
NOBODY: set[str] = set()

ROUTES: dict[str, tuple[Attributes, set[str]]] = {
    "sent": (of_type(EventType.SENT), {"Track"}),
    "delayed": (of_type(EventType.DELAYED), {"Track", "Notify"}),
    "delivered": (of_type(EventType.DELIVERED) | CALLER, {"Track"}),
    "unknown type": (of_type("shipment.mislaid"), {"Unrouted"}),
    "upper case": (of_type("SHIPMENT.SENT"), {"Unrouted"}),
    "longer": (of_type("shipment.sent.again"), {"Unrouted"}),
    "no type": (CALLER, {"Unrouted"}),
    "known types in a list": (
        of_type('["shipment.sent", "shipment.delayed"]', "String.Array"),
        {"Track", "Notify"},
    ),
    "a known and an unknown type in a list": (
        of_type('["shipment.sent", "shipment.mislaid"]', "String.Array"),
        {"Track"},
    ),
    "unknown types in a list": (of_type('["shipment.mislaid"]', "String.Array"), {"Unrouted"}),
    # No filter accepts it: an alarm is all that shows it. See docs/adr/0005.
    "no attributes at all": ({}, NOBODY),
}
