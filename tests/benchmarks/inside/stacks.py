"""A project's stack on the local AWS, with nothing going on in it that is not asked for."""

from __future__ import annotations

import json
from typing import Any

from toolkit.local_aws.stack import Stack
from toolkit.stacks import PROJECT
from toolkit.template import functions

Event = dict[str, Any]
NOTHING = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}


def samples() -> dict[str, Event]:
    """The sample event of each function that has one in events/."""
    paths = {name: PROJECT / "events" / f"{module(name).rpartition('.')[2]}.json" for name in functions()}
    return {name: json.loads(path.read_text("utf-8")) for name, path in paths.items() if path.exists()}


def module(name: str) -> str:
    """The module of a function's handler."""
    return str(functions()[name]["Handler"].rpartition(".")[0])


def hush(stack: Stack) -> None:
    """Let nothing run on its own while something is measured: queues stay full, and workflows end at once."""
    awslambda, workflows = stack.aws.client("lambda"), stack.aws.client("stepfunctions")
    for mapping in awslambda.list_event_source_mappings()["EventSourceMappings"]:
        awslambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    for workflow in workflows.list_state_machines()["stateMachines"]:
        workflows.update_state_machine(stateMachineArn=workflow["stateMachineArn"], definition=json.dumps(NOTHING))


def physical_id(stack: Stack, name: str) -> str:
    """What a resource of the template is called in a stack."""
    found = stack.aws.client("cloudformation").describe_stack_resource(StackName=stack.name, LogicalResourceId=name)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])
