"""Gap: `Ref` of a secret is its name in ministack.

Closed: it is the ARN, as on AWS.
docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type of resource)


def is_needed() -> bool:
    handler = provisioners._RESOURCE_HANDLERS[SECRET]
    name, found = handler["create"]("Gap", {"Name": "gap-of-arns"}, "stack")
    handler["delete"](name, {})
    return bool(name != found["Arn"])


def close() -> None:
    handler = provisioners._RESOURCE_HANDLERS[SECRET]
    create: Callable[..., Any] = handler["create"]

    def create_with_arn(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        _, found = create(logical_id, properties, stack)
        return found["Arn"], found

    handler["create"] = create_with_arn
