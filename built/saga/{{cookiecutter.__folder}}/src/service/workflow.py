"""What the workflow hands to each of its steps."""

from typing import Any

from msgspec import convert

from service.domain.orders import Order
from toolkit.runtime.observability import logger


def order_of(event: dict[str, Any]) -> Order:
    """The order of a step; from here on, every log line names it."""
    logger.set_correlation_id(event["correlation_id"])
    order = convert(event["order"], Order)
    logger.append_keys(order_id=order.order_id, order_key=order.key)
    return order
