"""Step 3 of an order: arranges its shipment."""

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.shipments import Shipments
from service.adapters.steps import Steps
from service.domain.orders import UndeliverableError, check_delivery
from service.workflow import order_of
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, version_metrics

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
    """Arrange the order's shipment; raises UndeliverableError when no carrier takes it."""
    order = order_of(event)
    try:
        check_delivery(order)
    except UndeliverableError:
        metrics.add_metric("Undeliverable", MetricUnit.Count, 1)
        version_metrics.add_metric("Refusals", MetricUnit.Count, 1)
        raise
    shipment_id = shipments.arrange(order, str(uuid.uuid4()), int(time.time()))
    logger.info("shipment arranged", shipment_id=shipment_id)
    return {"shipment_id": shipment_id}
