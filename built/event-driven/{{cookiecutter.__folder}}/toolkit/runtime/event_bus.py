"""Puts events on an event bus, and tells which of them the bus did not take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

# EventBridge takes no more in one call: API reference of PutEvents.
MOST_EVENTS = 10
# The bus refuses single events when it is throttled or fails: the same right after often works.
_ATTEMPTS = 2


class Bus:
    """An event bus, and the name under which this service publishes on it."""

    def __init__(self, events: "EventBridgeClient", name: str, source: str) -> None:
        self._events = events
        self._name = name
        self._source = source

    @tracer.capture_method(capture_response=False)
    def put(self, events: Sequence[tuple[str, str]]) -> dict[int, str]:
        """Publish events; only those that the bus refuses are sent again.

        A call succeeds even if the bus takes none of its events.
        docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html

        Args:
            events: the type and the detail of each, at most ten.

        Returns:
            The places of those that it did not take in the end, each with the cause.
        """
        left = dict.fromkeys(range(len(events)), "")
        for _ in range(_ATTEMPTS):
            if not left:
                break
            answer = self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": self._source,
                        "DetailType": events[place][0],
                        "Detail": events[place][1],
                    }
                    for place in left
                ]
            )
            if not answer["FailedEntryCount"]:
                return {}
            # The answer has an entry for each that was sent, in the same order.
            left = {
                place: f"{entry['ErrorCode']}: {entry.get('ErrorMessage', '')}"
                for place, entry in zip(left, answer["Entries"], strict=True)
                if "ErrorCode" in entry
            }
        return left
