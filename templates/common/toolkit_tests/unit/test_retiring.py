"""A plan that takes a right from the version that serves is refused."""

import copy
from typing import Any

import pytest

from toolkit.retiring import lost, refusal

FUNCTION: dict[str, Any] = {
    "Type": "AWS::Serverless::Function",
    "Properties": {"Role": {"Fn::GetAtt": "WorkRole.Arn"}},
}
ROLE: dict[str, Any] = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "Policies": [
            {
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "arn:logs"}
                    ]
                }
            }
        ]
    },
}
POLICY: dict[str, Any] = {
    "Type": "AWS::IAM::Policy",
    "Properties": {
        "Roles": [{"Ref": "WorkRole"}],
        "PolicyDocument": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"],
                    "Resource": [{"Fn::GetAtt": "Orders.Arn"}, {"Fn::GetAtt": "Parcels.Arn"}],
                }
            ]
        },
    },
}


def stack() -> dict[str, Any]:
    return copy.deepcopy({"Work": FUNCTION, "WorkRole": ROLE, "WorkPolicy": POLICY})


def statement(resources: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resources["WorkPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    return found


def taken(deployed: dict[str, Any], planned: dict[str, Any]) -> set[str]:
    return {f"{right.action} on {right.name}" for right in lost(deployed, planned)}


def test_what_stays_the_same_or_grows_is_fine() -> None:
    planned = stack()
    statement(planned)["Action"].append("dynamodb:GetItem")
    # As `sam package` writes it.
    statement(planned)["Resource"][0] = {"Fn::GetAtt": ["Orders", "Arn"]}

    assert taken(stack(), planned) == set()


def test_an_action_that_goes_is_found() -> None:
    planned = stack()
    statement(planned)["Action"] = "dynamodb:PutItem"

    assert taken(stack(), planned) == {
        "dynamodb:UpdateItem on Orders",
        "dynamodb:UpdateItem on Parcels",
    }


def test_a_resource_that_goes_is_found() -> None:
    planned = stack()
    statement(planned)["Resource"] = {"Fn::GetAtt": "Orders.Arn"}

    assert taken(stack(), planned) == {
        "dynamodb:PutItem on Parcels",
        "dynamodb:UpdateItem on Parcels",
    }


def test_a_condition_that_narrows_is_found() -> None:
    planned = stack()
    statement(planned)["Condition"] = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}

    assert len(taken(stack(), planned)) == 4


def test_a_right_of_the_role_itself_is_found() -> None:
    planned = stack()
    planned["WorkRole"]["Properties"]["Policies"] = []

    assert taken(stack(), planned) == {"logs:PutLogEvents on arn:logs"}


def test_what_another_policy_gives_the_same_role_is_not_lost() -> None:
    planned = stack()
    planned["Other"] = copy.deepcopy(POLICY)
    statement(planned)["Action"] = "dynamodb:PutItem"

    assert taken(stack(), planned) == set()


@pytest.mark.parametrize(
    "mark", ["dynamodb:UpdateItem", "dynamodb:UpdateItem on Orders"], ids=["everywhere", "there"]
)
def test_what_the_deployed_template_marks_may_go(mark: str) -> None:
    deployed, planned = stack(), stack()
    deployed["WorkPolicy"]["Metadata"] = {"Retiring": {mark: "orders are replaced since May"}}
    statement(deployed)["Resource"] = statement(planned)["Resource"] = {"Fn::GetAtt": "Orders.Arn"}
    statement(planned)["Action"] = "dynamodb:PutItem"

    assert taken(deployed, planned) == set()


def test_a_mark_in_the_planned_template_alone_is_too_late() -> None:
    planned = stack()
    planned["WorkPolicy"]["Metadata"] = {"Retiring": {"dynamodb:UpdateItem": "now"}}
    statement(planned)["Action"] = "dynamodb:PutItem"

    assert len(taken(stack(), planned)) == 2


@pytest.mark.parametrize("gone", [["WorkPolicy"], ["Work", "WorkRole", "WorkPolicy"]])
def test_what_is_removed_as_a_whole_goes_after_traffic_has_moved(gone: list[str]) -> None:
    planned = {name: resource for name, resource in stack().items() if name not in gone}

    assert taken(stack(), planned) == set()


class FakeCloudFormation:
    """Has a stack, and a change set for it."""

    def __init__(self, deployed: dict[str, Any], planned: dict[str, Any], status: str) -> None:
        self.status = status
        self.templates = {"": {"Resources": deployed}, "change-set": {"Resources": planned}}

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.status}]}

    def get_template(self, **asked: str) -> dict[str, Any]:
        assert asked["TemplateStage"] == "Original"
        return {"TemplateBody": self.templates[asked.get("ChangeSetName", "")]}


def report(
    deployed: dict[str, Any], planned: dict[str, Any], status: str = "UPDATE_COMPLETE"
) -> str:
    stand_in: Any = FakeCloudFormation(deployed, planned, status)
    return refusal(stand_in, "order-intake-dev", "change-set")


def test_the_refusal_says_what_to_write_and_where() -> None:
    planned = stack()
    statement(planned)["Resource"] = {"Fn::GetAtt": "Orders.Arn"}
    statement(planned)["Action"] = "dynamodb:PutItem"

    assert (
        "  WorkPolicy:\n    Metadata:\n      Retiring:\n"
        "        dynamodb:PutItem on Parcels: <since when, and why>\n"
        "        dynamodb:UpdateItem on Orders: <since when, and why>\n"
    ) in report(stack(), planned)


def test_nothing_speaks_against_a_plan_that_takes_nothing() -> None:
    assert report(stack(), stack()) == ""


def test_a_first_deployment_takes_nothing_from_anybody() -> None:
    assert report({}, {}, status="REVIEW_IN_PROGRESS") == ""
