"""Step 1 of an order: reserves its stock."""

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.steps import Steps
from service.adapters.stock import Stock
from service.domain.orders import OutOfStockError
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
    stock_table: str


settings = read_settings(Settings)
stock = Stock(
    Steps(client("dynamodb"), settings.steps_table, settings.steps_days), settings.stock_table
)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Reserve the order's stock; raises OutOfStockError when there is too little of it."""
    order = order_of(event)
    try:
        reservation_id = stock.reserve(order, str(uuid.uuid4()), int(time.time()))
    except OutOfStockError:
        metrics.add_metric("OutOfStock", MetricUnit.Count, 1)
        version_metrics.add_metric("Refusals", MetricUnit.Count, 1)
        raise
    logger.info("stock reserved", reservation_id=reservation_id)
    return {"reservation_id": reservation_id}
