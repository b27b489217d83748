"""Publishes events to the topic."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from service.domain.shipments import ShipmentEvent
from toolkit.runtime.idempotency import fingerprint_of
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

# What failed is sent again in the same call of the function; the caller may do so after that.
ROUNDS = 2


class NotPublishedError(Exception):
    """SNS did not take some of the events, by their event_id, for the reasons that it gave."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(str(reasons))
        self.reasons = reasons


class EventTopic:
    """The topic that all subscribers get their events from."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    @tracer.capture_method(capture_response=False)
    def publish(self, caller: str, events: Sequence[ShipmentEvent], correlation_id: str) -> None:
        """Publish up to ten events; returns once SNS has stored all of them.

        A batch can succeed in part: only what failed is sent again.

        Raises:
            NotPublishedError: SNS did not take some of them.
        """
        entries = [
            _entry(str(place), caller, event, correlation_id) for place, event in enumerate(events)
        ]
        for _ in range(ROUNDS):
            answer = self._sns.publish_batch(
                TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
            )
            failed = {one["Id"]: one["Code"] for one in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise NotPublishedError({events[int(place)].event_id: failed[place] for place in failed})


def _entry(
    place: str, caller: str, event: ShipmentEvent, correlation_id: str
) -> "PublishBatchRequestEntryTypeDef":
    """A message with the attributes that filters and subscribers need: always all of them."""
    attributes = {"type": event.type.value, "caller": caller, "correlation_id": correlation_id}
    return {
        "Id": place,
        "Message": event.to_json(),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
        # SNS hands it on to the queues, where it makes them fair: a caller with many events does
        # not delay those of others (SNS's API reference, Publish). At most 128 characters.
        "MessageGroupId": fingerprint_of(caller),
    }
