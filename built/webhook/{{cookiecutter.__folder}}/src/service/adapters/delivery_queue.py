"""Sends verified deliveries to the queue."""

from typing import TYPE_CHECKING

from service.domain.deliveries import Delivery
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class DeliveryQueue:
    """The queue between taking a delivery and working on it."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    @tracer.capture_method(capture_response=False)
    def send(self, delivery: Delivery, correlation_id: str) -> None:
        """Send a delivery; returns once SQS has stored it on several servers."""
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=delivery.to_json(),
            MessageAttributes={
                "correlation_id": {"DataType": "String", "StringValue": correlation_id}
            },
        )
