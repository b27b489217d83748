"""Gap: ministack keeps a number from a template parameter as text, and its SQS poller fails on it.

Closed: event source mappings get numbers where CloudFormation would give them numbers.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

EVENT_SOURCE_MAPPING = "AWS::Lambda::EventSourceMapping"


def is_needed() -> bool:
    mapping = {
        "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:queue",
        "FunctionName": "function",
        "ScalingConfig": {"MaximumConcurrency": "2"},
    }
    provisioners._RESOURCE_HANDLERS[EVENT_SOURCE_MAPPING]["create"]("Mapping", mapping, "stack")
    [(_, _, made)] = lambda_svc._iter_all_esms()
    return bool(made["ScalingConfig"] != {"MaximumConcurrency": 2})


def close() -> None:
    handler = provisioners._RESOURCE_HANDLERS[EVENT_SOURCE_MAPPING]
    create: Callable[..., Any] = handler["create"]

    def create_with_numbers(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        return create(logical_id, with_numbers(properties), stack)

    handler["create"] = create_with_numbers


def with_numbers(value: Any) -> Any:
    """The same properties, with text that consists of digits turned into numbers."""
    if isinstance(value, dict):
        return {key: with_numbers(item) for key, item in value.items()}
    return int(value) if isinstance(value, str) and value.isdecimal() else value
