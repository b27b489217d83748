"""Sends accepted orders to the queue."""

from typing import TYPE_CHECKING

from service.domain.orders import Order
from toolkit.runtime.idempotency import fingerprint_of
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class OrderQueue:
    """The queue between accepting an order and shipping it."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    @tracer.capture_method(capture_response=False)
    def send(self, caller: str, order: Order, correlation_id: str) -> None:
        """Send an order; returns once SQS has stored it on several servers."""
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=order.to_json(),
            # Fair queues: messages of one busy caller do not delay those of others. A hash, since
            # SQS takes at most 128 characters.
            MessageGroupId=fingerprint_of(caller),
            MessageAttributes={
                "caller": {"DataType": "String", "StringValue": caller},
                "correlation_id": {"DataType": "String", "StringValue": correlation_id},
            },
        )
