"""Reads what SNS delivered to a subscriber's queue, from the record that Lambda gets."""

import json
from datetime import UTC, datetime
from typing import Any

from service.domain.shipments import ShipmentEvent, parse_event
from toolkit.runtime.batch import PermanentError
from toolkit.runtime.fields import InvalidFieldsError


def event_in(record: dict[str, Any]) -> ShipmentEvent:
    """The event in a record.

    Raises:
        PermanentError: there is none.
    """
    body = record["body"]
    try:
        return parse_event(body, datetime.now(UTC))
    except InvalidFieldsError as error:
        if _is_envelope(body):
            raise PermanentError(
                "the body is SNS's envelope: set RawMessageDelivery: true on the subscription"
            ) from error
        raise PermanentError(str(error)) from error


def attribute_of(record: dict[str, Any], name: str) -> str:
    """A message attribute; empty where the publisher sent none."""
    given = record.get("messageAttributes", {}).get(name, {})
    return str(given.get("stringValue", ""))


def _is_envelope(body: str) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"Type", "TopicArn", "Message"} <= found.keys()
