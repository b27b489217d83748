"""Gap: ministack's CloudFormation does not know AWS::IAM::OIDCProvider, though its IAM has such providers.

Closed: the type makes and removes one.
"""

from __future__ import annotations

from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

TYPE = "AWS::IAM::OIDCProvider"


def is_needed() -> bool:
    """Whether the type is still missing."""
    return TYPE not in provisioners._RESOURCE_HANDLERS


def close() -> None:
    """Have CloudFormation make it."""

    def create(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, str]]:
        host = properties["Url"].removeprefix("https://")
        arn = f"arn:aws:iam::{iam.get_account_id()}:oidc-provider/{host}"
        if arn in iam._oidc_providers:
            raise ValueError(f"Provider with url {properties['Url']} already exists.")
        iam._oidc_providers[arn] = {
            "Url": properties["Url"],
            "ClientIDList": properties.get("ClientIdList", []),
            "ThumbprintList": properties.get("ThumbprintList", []),
            "Arn": arn,
            "CreateDate": iam._now(),
            "Tags": [],
        }
        return arn, {"Arn": arn}

    def delete(arn: str, *_: Any) -> None:
        iam._oidc_providers.pop(arn, None)

    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": create, "delete": delete}
