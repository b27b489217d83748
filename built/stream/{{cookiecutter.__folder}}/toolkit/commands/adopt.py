"""Brings what stayed of a removed stack back under a new one: toolkit/docs/restore.md.

    python -m toolkit adopt --env prod RecordsTable=<name> ApiLogGroup=<name> ...

Each is a logical id of template.yaml with the name, or the queue's address, that AWS gave it.
CloudFormation imports them into a new stack; the next deployment adds everything else.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

import boto3

from toolkit.stacks import errors_in_one_line, region_of, settings_of
from toolkit.template import named, parameters, resolve, template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# By which property CloudFormation finds a resource of a type.
IDENTIFIED_BY = {
    "AWS::Cognito::UserPool": "UserPoolId",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueUrl",
}


def template_of(env: str, names: list[str]) -> dict[str, Any]:
    """Some resources of the template, as an environment sets them; an import takes nothing else.

    Raises:
        SystemExit: a resource is unknown, or refers to one that is not among them.
    """
    everything = template()["Resources"]
    chosen = {}
    for name in names:
        if everything.get(name, {}).get("Type") not in IDENTIFIED_BY:
            known = [n for n, found in everything.items() if found["Type"] in IDENTIFIED_BY]
            raise SystemExit(f"{name} cannot be imported; these can: {', '.join(known)}")
        chosen[name] = _filled_in(everything[name], env)
        if missing := named(chosen[name]) - {*names}:
            raise SystemExit(f"{name} refers to {', '.join(missing)}: import that as well")
    return {"Resources": chosen}


def change_set(
    cloudformation: "CloudFormationClient", stack: str, body: dict[str, Any], ids: dict[str, str]
) -> str:
    """Make the change set that imports them; returns its ARN once it is ready."""
    answer = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="adopt",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(body),
        ResourcesToImport=[
            {
                "ResourceType": resource["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": {IDENTIFIED_BY[resource["Type"]]: ids[name]},
            }
            for name, resource in body["Resources"].items()
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=answer["Id"], WaiterConfig={"Delay": 2}
    )
    return answer["Id"]


def adopt(
    cloudformation: "CloudFormationClient", stack: str, body: dict[str, Any], ids: dict[str, str]
) -> None:
    """Import the resources into a new stack."""
    arn = change_set(cloudformation, stack, body, ids)
    cloudformation.execute_change_set(ChangeSetName=arn)
    cloudformation.get_waiter("stack_import_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 2}
    )


def _filled_in(value: Any, env: str) -> Any:
    """A part of the template in which parameters and conditions have their values."""
    match value:
        case {"Ref": str(name)} if name in parameters(env) or name == "AWS::NoValue":
            return resolve(value, env)
        case {"Fn::If": _} | {"Fn::FindInMap": _}:
            return _filled_in(resolve(value, env), env)
        case dict():
            filled = {key: _filled_in(item, env) for key, item in value.items()}
            return {key: item for key, item in filled.items() if item is not None}
        case list():
            return [_filled_in(item, env) for item in value]
    return value


@errors_in_one_line
def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Brings resources under a new stack.")
    parser.add_argument("--env", required=True)
    parser.add_argument("resources", nargs="+", metavar="LogicalId=name")
    arguments = parser.parse_args()
    ids = dict(resource.split("=", 1) for resource in arguments.resources)
    stack = settings_of(arguments.env)["global"]["parameters"]["stack_name"]
    body = template_of(arguments.env, list(ids))
    adopt(boto3.client("cloudformation", region_of(arguments.env)), stack, body, ids)
    print(f"{stack} has {', '.join(ids)}. Deploy it to add everything else.")
