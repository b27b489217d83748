"""Gap: ministack refuses a workflow's versions and aliases in templates, and calls by their ARN.

Closed: a version is published for each change of the workflow, and the alias moves to it at once.
A call that names an alias or a version needs a right on the workflow itself, as on AWS:
docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html. What stays open: an execution
runs the workflow's newest definition, for any target of its alias.
"""

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

VERSION = "AWS::StepFunctions::StateMachineVersion"
ALIAS = "AWS::StepFunctions::StateMachineAlias"


def is_needed() -> bool:
    return not any(kind in provisioners._RESOURCE_HANDLERS for kind in (VERSION, ALIAS))


def close() -> None:
    provisioners._RESOURCE_HANDLERS[VERSION] = {
        "create": create_version,
        "update": update_version,
        "delete": delete_version,
    }
    provisioners._RESOURCE_HANDLERS[ALIAS] = {
        "create": create_alias,
        "update": update_alias,
        "delete": delete_alias,
    }
    resource_arn = iam_actions.extract_resource_arn

    def unqualified(service: str, *request: Any) -> str:
        arn: str = resource_arn(service, *request)
        workflow, qualified = ":".join(arn.split(":")[:7]), ":stateMachine:" in arn
        return workflow if service == "states" and qualified else arn

    iam_actions.extract_resource_arn = unqualified


def create_version(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, str]]:
    made = answer(
        stepfunctions._publish_state_machine_version(
            {
                "stateMachineArn": properties["StateMachineArn"],
                "revisionId": properties.get("StateMachineRevisionId"),
                "description": properties.get("Description", ""),
            }
        )
    )
    return made["stateMachineVersionArn"], {"Arn": made["stateMachineVersionArn"]}


def update_version(
    arn: str, old: dict[str, Any], new: dict[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    """Every property needs a replacement; SAM keeps what is replaced."""
    return (arn, {"Arn": arn}) if old == new else create_version(arn, new, stack)


def delete_version(arn: str, _: dict[str, Any]) -> None:
    answer(stepfunctions._delete_state_machine_version({"stateMachineVersionArn": arn}))


def create_alias(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, str]]:
    made = answer(
        stepfunctions._create_state_machine_alias(
            {"name": properties["Name"], "routingConfiguration": routing(properties)}
        )
    )
    return made["stateMachineAliasArn"], {"Arn": made["stateMachineAliasArn"]}


def update_alias(
    arn: str, _: dict[str, Any], new: dict[str, Any], __: str
) -> tuple[str, dict[str, str]]:
    answer(
        stepfunctions._update_state_machine_alias(
            {"stateMachineAliasArn": arn, "routingConfiguration": routing(new)}
        )
    )
    return arn, {"Arn": arn}


def delete_alias(arn: str, _: dict[str, Any]) -> None:
    answer(stepfunctions._delete_state_machine_alias({"stateMachineAliasArn": arn}))


def routing(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """All of it to the version that is deployed."""
    version = properties["DeploymentPreference"]["StateMachineVersionArn"]
    return [{"stateMachineVersionArn": version, "weight": 100}]


def answer(response: tuple[int, Any, Any]) -> Any:
    """What Step Functions answers, or an error that fails the resource."""
    status, _, body = response
    if status >= 400:
        raise ValueError(json.loads(body))
    return json.loads(body)
