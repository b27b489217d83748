"""Undoes step 3 of an order: calls the carrier off."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.shipments import Shipments
from service.adapters.steps import Steps
from service.workflow import order_of
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    steps_table: str
    steps_days: int
    shipments_table: str


settings = read_settings(Settings)
shipments = Shipments(
    Steps(client("dynamodb"), settings.steps_table, settings.steps_days), settings.shipments_table
)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Cancel the order's shipment, if it was arranged."""
    order = order_of(event)
    undone = shipments.cancel(order, int(time.time()))
    logger.info("shipment cancelled" if undone else "nothing to undo")
    return {"undone": undone}
