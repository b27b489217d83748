"""Notifies subscribers of the end of an order."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.try_again import TryAgainError
from service.domain.orders import Order
from toolkit.runtime.aws import is_transient
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Notifications:
    """The topic of fulfilled orders."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    @tracer.capture_method(capture_response=False)
    def order_fulfilled(self, order: Order, correlation_id: str) -> None:
        """Publish it at least once. Subscribers recognise a repetition by caller and order_id.

        Raises:
            TryAgainError: SNS could not take it now.
        """
        try:
            self._sns.publish(
                TopicArn=self._topic_arn,
                Message=json.dumps(
                    {"caller": order.caller, "order_id": order.order_id, "status": "fulfilled"}
                ),
                MessageAttributes={
                    "correlation_id": {"DataType": "String", "StringValue": correlation_id}
                },
            )
        except (BotoCoreError, ClientError) as error:
            if is_transient(error):
                raise TryAgainError(str(error)) from error
            raise
