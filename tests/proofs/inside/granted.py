"""Prints, as JSON, what the template's roles and those of the pipeline allow, and the types of its resources."""

import json
import re
from collections.abc import Mapping
from typing import Any

from toolkit.template import as_list, resources, statements_of, template


def services(role: Mapping[str, Any]) -> list[str]:
    """The services that act with a role."""
    trusted = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return [service for statement in trusted for service in as_list(statement["Principal"].get("Service", []))]


def actions(statements: list[dict[str, Any]]) -> list[str]:
    """What statements allow."""
    return [action for statement in statements for action in as_list(statement["Action"])]


def in_full(resource: Any) -> str:
    """A resource of the boundary as the local stack has it, in any region and account."""
    text = str(resource["Fn::Sub"] if isinstance(resource, dict) else resource)
    values = {"AWS::Partition": "aws", "AWS::Region": "*", "AWS::AccountId": "*", "Environment": "local"}
    return re.sub(r"\$\{([\w:]+)\}", lambda found: values[found[1]], text)


pipeline = template("toolkit/deploy/pipeline.yaml")["Resources"]
permissions = template("permissions.yaml")["Resources"]
deploying = {
    name: [
        *(policy["PolicyDocument"] for policy in role["Properties"]["Policies"]),
        *(
            policy["Properties"]["PolicyDocument"]
            for policy in permissions.values()
            if role["Properties"]["RoleName"] in policy["Properties"].get("Roles", [])
        ),
    ]
    for name, role in pipeline.items()
    if role["Type"] == "AWS::IAM::Role"
}
print(
    json.dumps(
        {
            "types": [resource["Type"] for resource in template()["Resources"].values()],
            "roles": {
                name: {"trusts": services(role), "actions": actions(statements_of(name))}
                for name, role in resources("AWS::IAM::Role").items()
            },
            "boundary": [
                {
                    "actions": as_list(statement["Action"]),
                    "resources": [in_full(resource) for resource in as_list(statement["Resource"])],
                    "conditions": statement.get("Condition", {}),
                }
                for statement in permissions["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
            ],
            "deploying": {
                name: actions([one for document in documents for one in document["Statement"]])
                for name, documents in deploying.items()
            },
        }
    )
)
