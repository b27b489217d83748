"""Gap: ministack forgets the message group of what PublishBatch sends to a standard topic.

Closed: as on AWS, and as with Publish, the queues get it. API reference of SNS, Publish: "For
standard topics: The MessageGroupId is optional and is forwarded only to Amazon SQS standard
subscriptions to activate fair queues."
"""

import inspect
from typing import Any

from ministack.services import sns


class _Attributes(dict[str, Any]):
    """The attributes of a message, and the group that it belongs to."""

    group = ""


def is_needed() -> bool:
    """Whether the second delivery in PublishBatch, for standard topics, has no group."""
    source = inspect.getsource(sns._publish_batch)
    return "message_group_id" not in source.rpartition("_fanout(")[2]


def close() -> None:
    parse, fanout = sns._parse_batch_entries, sns._fanout

    def parse_with_groups(parameters: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = parse(parameters)
        for entry in entries:
            attributes = _Attributes(entry["message_attributes"])
            attributes.group = entry.get("message_group_id") or ""
            entry["message_attributes"] = attributes
        return entries

    def fanout_with_group(*message: Any, **rest: Any) -> None:
        for part in message:
            if isinstance(part, _Attributes) and part.group:
                rest.setdefault("message_group_id", part.group)
        fanout(*message, **rest)

    sns._parse_batch_entries = parse_with_groups
    sns._fanout = fanout_with_group
