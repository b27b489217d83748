"""A message that SNS could not take now is tried again; one that it never takes is not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.notifications import Notifications
from service.adapters.try_again import TryAgainError
from service.domain.orders import Order

ORDER = Order("shop", "order-1", "teapot", 2, 4_200, "DE")


class Sns:
    """Stands in for SNS."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.sent: list[dict[str, Any]] = []

    def publish(self, **message: Any) -> None:
        if self.code:
            raise ClientError({"Error": {"Code": self.code}}, "Publish")
        self.sent.append(message)


def test_notification_has_no_customer_data() -> None:
    sns = Sns()

    Notifications(sns, "topic").order_fulfilled(ORDER, "abc")  # type: ignore[arg-type]

    [message] = sns.sent
    assert message["TopicArn"] == "topic"
    assert json.loads(message["Message"]) == {
        "caller": "shop",
        "order_id": "order-1",
        "status": "fulfilled",
    }
    assert message["MessageAttributes"]["correlation_id"]["StringValue"] == "abc"


@pytest.mark.parametrize(
    ("code", "error"), [("Throttled", TryAgainError), ("AuthorizationError", ClientError)]
)
def test_only_temporary_errors_are_retried(code: str, error: type[Exception]) -> None:
    notifications = Notifications(Sns(code), "topic")  # type: ignore[arg-type]

    with pytest.raises(error):
        notifications.order_fulfilled(ORDER, "abc")
