"""Gap: a secret without a value in the template gets an empty one in ministack.

Closed: it has no version, and reading it fails, as on AWS ("you create an empty secret").
docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type of resource)


def is_needed() -> bool:
    handler = provisioners._RESOURCE_HANDLERS[SECRET]
    name, _ = handler["create"]("Gap", {"Name": "gap-of-values"}, "stack")
    _, secret = secretsmanager._resolve(name)
    versions = secret["Versions"]
    handler["delete"](name, {})
    return bool(versions)


def close() -> None:
    handler = provisioners._RESOURCE_HANDLERS[SECRET]
    create: Callable[..., Any] = handler["create"]

    def create_empty(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        if not {"SecretString", "GenerateSecretString"} & properties.keys():
            _, secret = secretsmanager._resolve(made[1]["Arn"])
            secret["Versions"] = {}
        return made

    handler["create"] = create_empty
