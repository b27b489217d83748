"""Hands a run on: the next page is the next message."""

from typing import TYPE_CHECKING

from toolkit.runtime.observability import tracer
from toolkit.runtime.runs import RunMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class RunQueue:
    """The queue that the schedule sends to, and the function takes from."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    @tracer.capture_method(capture_response=False)
    def send(self, message: RunMessage, correlation_id: str) -> None:
        """Send a message; returns once SQS has stored it on several servers."""
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=message.to_json(),
            MessageAttributes={
                "correlation_id": {"DataType": "String", "StringValue": correlation_id}
            },
        )
