"""A change of the workflow is a version of its own, and the alias moves to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.local_aws.stack import Stack


@pytest.fixture
def changed_back(stack: Stack) -> Iterator[str]:
    """The template as deployed, which is deployed again in the end."""
    cloudformation = stack.aws.client("cloudformation")
    deployed = cloudformation.get_template(StackName=stack.name, TemplateStage="Original")
    yield deployed["TemplateBody"]
    deploy(stack, deployed["TemplateBody"])


def deploy(stack: Stack, body: str) -> None:
    cloudformation = stack.aws.client("cloudformation")
    [found] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    cloudformation.update_stack(
        StackName=stack.name,
        TemplateBody=body,
        Parameters=[
            {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
            for parameter in found["Parameters"]
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack.name, WaiterConfig={"Delay": 1}
    )


def routing(stack: Stack) -> list[dict[str, Any]]:
    """Where the alias sends new orders."""
    alias = f"{stack.outputs['Workflow']}:live"
    answer = stack.aws.client("stepfunctions").describe_state_machine_alias(
        stateMachineAliasArn=alias
    )
    found: list[dict[str, Any]] = answer["routingConfiguration"]
    return found


def test_the_alias_moves_to_the_version_of_a_changed_workflow(
    stack: Stack, changed_back: str
) -> None:
    [before] = routing(stack)
    level = "Level: ALL"
    assert level in changed_back

    deploy(stack, changed_back.replace(level, "Level: ERROR"))

    [after] = routing(stack)
    workflow = stack.outputs["Workflow"]
    number = int(before["stateMachineVersionArn"].removeprefix(f"{workflow}:"))
    assert after == {"stateMachineVersionArn": f"{workflow}:{number + 1}", "weight": 100}
