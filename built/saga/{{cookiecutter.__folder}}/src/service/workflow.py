"""What the workflow hands to each of its steps."""

from typing import Any

from service.domain.orders import Order
from toolkit.runtime.observability import logger


def order_of(event: dict[str, Any]) -> Order:
    """The order that a step is about; from here on, every log line names it.

    It was checked before the workflow started, so it is not checked again.
    """
    logger.set_correlation_id(event["correlation_id"])
    order = Order(**event["order"])
    logger.append_keys(order_id=order.order_id, order_key=order.key)
    return order
