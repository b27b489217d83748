"""toolkit/docs/restore.md: what stays of a removed stack comes back under a new one, as it was."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.commands.adopt import adopt, template_of
from toolkit.commands.termination_protection import protect, refusal
from toolkit.local_aws.stack import LocalAws
from toolkit.template import template

DATA = {
    name: resource["Type"]
    for name, resource in template()["Resources"].items()
    if resource["Type"] in {"AWS::DynamoDB::Table", "AWS::Logs::LogGroup"}
}
TABLES = [name for name, kind in DATA.items() if kind == "AWS::DynamoDB::Table"]
NAME = "restored-prod"


@pytest.fixture
def cloudformation(aws: LocalAws) -> Iterator[Any]:
    """CloudFormation, with a stack that has what prod keeps."""
    client = aws.client("cloudformation")
    client.create_stack(StackName=NAME, TemplateBody=json.dumps(template_of("prod", list(DATA))))
    client.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})
    yield client
    client.update_termination_protection(StackName=NAME, EnableTerminationProtection=False)
    remove(client)


def remove(client: Any) -> None:
    client.delete_stack(StackName=NAME)
    client.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})


def physical_ids(client: Any) -> dict[str, str]:
    found = client.describe_stack_resources(StackName=NAME)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def keeps_its_past(name: str) -> bool:
    properties = template_of("prod", [name])["Resources"][name]["Properties"]
    past = properties.get("PointInTimeRecoverySpecification", {})
    return bool(past.get("PointInTimeRecoveryEnabled", False))


def an_item(aws: LocalAws, table: str) -> dict[str, Any]:
    described = aws.client("dynamodb").describe_table(TableName=table)["Table"]
    return {key["AttributeName"]: {"S": "kept"} for key in described["KeySchema"]}


def test_what_stays_comes_back_with_what_it_holds(aws: LocalAws, cloudformation: Any) -> None:
    ids = physical_ids(cloudformation)
    dynamodb = aws.client("dynamodb")
    for table in TABLES:
        dynamodb.put_item(TableName=ids[table], Item=an_item(aws, ids[table]))

    remove(cloudformation)
    adopt(cloudformation, NAME, template_of("prod", list(DATA)), ids)

    assert physical_ids(cloudformation) == ids
    for table in TABLES:
        key = an_item(aws, ids[table])
        assert dynamodb.get_item(TableName=ids[table], Key=key)["Item"] == key


@pytest.mark.parametrize("name", [name for name in TABLES if keeps_its_past(name)])
def test_a_table_is_restored_to_a_point_in_time(
    aws: LocalAws, cloudformation: Any, name: str
) -> None:
    """The local AWS keeps no past: it restores what is there now."""
    table = physical_ids(cloudformation)[name]
    dynamodb = aws.client("dynamodb")
    item = an_item(aws, table)
    dynamodb.put_item(TableName=table, Item=item)

    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=f"{table}-restored", UseLatestRestorableTime=True
    )
    dynamodb.get_waiter("table_exists").wait(TableName=f"{table}-restored")

    assert dynamodb.get_item(TableName=f"{table}-restored", Key=item)["Item"] == item


def test_prod_is_protected_and_its_removal_refused(cloudformation: Any) -> None:
    assert refusal(cloudformation, NAME) == ""

    protect(cloudformation, "prod", NAME)

    assert "update-termination-protection" in refusal(cloudformation, NAME)
    with pytest.raises(cloudformation.exceptions.ClientError, match="TerminationProtection"):
        cloudformation.delete_stack(StackName=NAME)
