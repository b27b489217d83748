"""Gap: ministack refuses CodeDeploy resources.

Closed: they deploy and do nothing, so that an alias moves to a new version at once.
"""

from typing import Any

from ministack.services.cloudformation import provisioners

TYPES = ("AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup")


def is_needed() -> bool:
    return not any(kind in provisioners._RESOURCE_HANDLERS for kind in TYPES)


def close() -> None:
    def create(logical_id: str, _: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        return f"{stack}-{logical_id}", {}

    def delete(*_: Any) -> None: ...

    for kind in TYPES:
        provisioners._RESOURCE_HANDLERS[kind] = {"create": create, "delete": delete}
