"""The last step of an order: sends the notification that it is fulfilled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.notifications import Notifications
from service.workflow import order_of
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    notifications_topic: str


settings = read_settings(Settings)
notifications = Notifications(client("sns"), settings.notifications_topic)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Send it at least once: each retry sends it again."""
    order = order_of(event)
    notifications.order_fulfilled(order, event["correlation_id"])
    logger.info("notified")
