"""Undoes step 1 of an order: puts its stock back."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.steps import Steps
from service.adapters.stock import Stock
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
    stock_table: str


settings = read_settings(Settings)
stock = Stock(
    Steps(client("dynamodb"), settings.steps_table, settings.steps_days), settings.stock_table
)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Put the order's stock back, if it was taken out."""
    order = order_of(event)
    undone = stock.release(order, int(time.time()))
    logger.info("stock released" if undone else "nothing to undo")
    return {"undone": undone}
