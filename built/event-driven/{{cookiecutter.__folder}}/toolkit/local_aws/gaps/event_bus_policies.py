"""Gap: ministack refuses policies of event buses in templates.

Closed: they deploy, and are not enforced. Template tests read them.
"""

from typing import Any

from ministack.services.cloudformation import provisioners

KIND = "AWS::Events::EventBusPolicy"


def is_needed() -> bool:
    return KIND not in provisioners._RESOURCE_HANDLERS


def close() -> None:
    provisioners._RESOURCE_HANDLERS[KIND] = {"create": create, "delete": lambda *_: None}


def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    return properties["StatementId"], {}
