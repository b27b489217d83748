"""Step 2 of an order: takes its payment."""

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.payments import Payments
from service.adapters.steps import Steps
from service.domain.orders import PaymentDeclinedError, check_payment
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
    payments_table: str


settings = read_settings(Settings)
payments = Payments(
    Steps(client("dynamodb"), settings.steps_table, settings.steps_days), settings.payments_table
)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Take the order's payment; raises PaymentDeclinedError when the provider says no."""
    order = order_of(event)
    try:
        check_payment(order)
    except PaymentDeclinedError:
        metrics.add_metric("PaymentsDeclined", MetricUnit.Count, 1)
        version_metrics.add_metric("Refusals", MetricUnit.Count, 1)
        raise
    payment_id = payments.take(order, str(uuid.uuid4()), int(time.time()))
    logger.info("payment taken", payment_id=payment_id)
    return {"payment_id": payment_id}
