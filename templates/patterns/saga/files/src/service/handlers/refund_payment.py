"""Undoes step 2 of an order: gives the money back."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.payments import Payments
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
    payments_table: str


settings = read_settings(Settings)
payments = Payments(
    Steps(client("dynamodb"), settings.steps_table, settings.steps_days), settings.payments_table
)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Refund the order's payment, if it was taken."""
    order = order_of(event)
    undone = payments.refund(order, int(time.time()))
    logger.info("payment refunded" if undone else "nothing to undo")
    return {"undone": undone}
