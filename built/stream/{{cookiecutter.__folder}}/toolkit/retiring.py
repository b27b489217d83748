"""Finds rights that a plan takes away from the version that still serves.

Both versions of a function share one role, and CloudFormation changes its policies before it moves
traffic. Without a right that it still uses, the serving version fails, its alarms take the release
back, and the next attempt ends the same way. So a right goes in two releases: the first stops using
it and marks it, the second takes it away.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.template import (
    Resource,
    as_list,
    expand,
    grants_to,
    is_retiring,
    parse,
    retiring_rights,
    short_name,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


@dataclass(frozen=True)
class Right:
    """An action on a resource, as a statement of a role or policy allows it."""

    owner: str
    role: str
    action: str
    resource: str
    name: str
    condition: str

    @property
    def granted(self) -> tuple[str, str, str, str]:
        """What the role gets; which of its policies gives it does not matter."""
        return (self.role, self.action, self.resource, self.condition)


def rights(resources: dict[str, Resource]) -> Iterator[Right]:
    """Every right of every role in a template."""
    for role, found in resources.items():
        if found["Type"] != "AWS::IAM::Role":
            continue
        for owner, statements in grants_to(role, resources).items():
            for statement in statements:
                if statement["Effect"] != "Allow":
                    continue
                condition = _text(statement.get("Condition", {}))
                for action in as_list(statement["Action"]):
                    for on in as_list(statement["Resource"]):
                        yield Right(owner, role, action, _text(on), short_name(on), condition)


def lost(deployed: dict[str, Resource], planned: dict[str, Resource]) -> list[Right]:
    """Rights that are taken away and were not marked as retiring in what is deployed.

    A policy or role that is removed as a whole goes after traffic has moved: CloudFormation removes
    resources in its cleanup, when all else is updated.
    """
    kept = {right.granted for right in rights(planned)}
    return [
        right
        for right in rights(deployed)
        if right.owner in planned and right.role in planned
        if right.granted not in kept
        if not is_retiring(retiring_rights(deployed[right.owner]), right.action, right.name)
    ]


def refusal(cloudformation: "CloudFormationClient", stack: str, change_set: str) -> str:
    """Why a change set is not to be applied; empty if nothing speaks against it."""
    [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        return ""  # Nothing is deployed yet.
    deployed = cloudformation.get_template(StackName=stack, TemplateStage="Original")
    planned = cloudformation.get_template(
        StackName=stack, ChangeSetName=change_set, TemplateStage="Original"
    )
    taken = lost(_resources(deployed["TemplateBody"]), _resources(planned["TemplateBody"]))
    if not taken:
        return ""
    marks = "\n".join(
        f"  {owner}:\n    Metadata:\n      Retiring:\n"
        + "\n".join(
            f"        {right.action} on {right.name}: <since when, and why>"
            for right in taken
            if right.owner == owner
        )
        for owner in dict.fromkeys(right.owner for right in taken)
    )
    return (
        "Not planned: this release takes rights away that the deployed version may still use.\n"
        "CloudFormation changes policies before it moves traffic: the version that serves would\n"
        "fail, and its alarms would take this release back each time. Keep the rights in this\n"
        f"release, and mark them in template.yaml:\n\n{marks}\n\n"
        "The next release removes the rights and the marks: see\n"
        "toolkit/docs/removing-a-permission.md."
    )


def _resources(body: Any) -> dict[str, Resource]:
    """The resources of a template as CloudFormation returns it: text, or JSON that is read."""
    return expand(parse(body if isinstance(body, str) else json.dumps(body)))


def _text(value: Any) -> str:
    """Part of a template, such that the same means the same text."""
    return json.dumps(_long(value), sort_keys=True)


def _long(value: Any) -> Any:
    match value:
        case {"Fn::GetAtt": str(attribute)}:
            return {"Fn::GetAtt": attribute.split(".", 1)}
        case dict():
            return {key: _long(item) for key, item in value.items()}
        case list():
            return [_long(item) for item in value]
    return value
