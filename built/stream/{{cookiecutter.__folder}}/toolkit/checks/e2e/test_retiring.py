"""A plan that takes a right away from what is deployed is refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toolkit.local_aws.stack import Stack
from toolkit.retiring import refusal
from toolkit.template import parse

POLICY = "AWS::IAM::Policy"


@pytest.fixture
def plan(stack: Stack) -> Iterator[Callable[[dict[str, Any]], str]]:
    """Makes a change set of a template; it is never applied."""
    cloudformation = stack.aws.client("cloudformation")
    [found] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    change_sets: list[str] = []

    def make(template: dict[str, Any]) -> str:
        answer = cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"plan-{len(change_sets)}",
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": parameter["ParameterKey"], "UsePreviousValue": True}
                for parameter in found["Parameters"]
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        change_sets.append(answer["Id"])
        return change_sets[-1]

    yield make
    for change_set in change_sets:
        cloudformation.delete_change_set(ChangeSetName=change_set, StackName=stack.name)


def test_a_plan_without_a_right_that_is_deployed_is_refused(
    stack: Stack, plan: Callable[[dict[str, Any]], str]
) -> None:
    cloudformation = stack.aws.client("cloudformation")
    deployed = cloudformation.get_template(StackName=stack.name, TemplateStage="Original")
    template = parse(deployed["TemplateBody"])
    policies = {
        name: resource
        for name, resource in template["Resources"].items()
        if isinstance(resource, dict) and resource["Type"] == POLICY
    }
    if not policies:
        pytest.skip("no function here calls AWS")
    name, policy = policies.popitem()
    same = plan(template)
    policy["Properties"]["PolicyDocument"]["Statement"][0]["Action"] = "sqs:GetQueueUrl"

    without = plan(template)

    assert refusal(cloudformation, stack.name, same) == ""
    assert f"\n  {name}:\n    Metadata:\n      Retiring:\n" in refusal(
        cloudformation, stack.name, without
    )
