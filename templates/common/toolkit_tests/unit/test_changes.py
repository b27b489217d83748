"""`make plan` and `make apply`: what is shown before a deployment, and how its end is reported."""

import itertools
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from toolkit import retiring
from toolkit.commands import changes
from toolkit.stacks import settings_of
from toolkit.template import template
from toolkit.testing import AwsAnswers

STACK: str = settings_of("dev")["global"]["parameters"]["stack_name"]
STACK_ID = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{STACK}/id"
CHANGE_SET = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/samcli-deploy1/id"


def change(name: str, action: str = "Modify", **more: str) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::X::Y", **more}


def context(properties: dict[str, Any]) -> str:
    """A resource as DescribeChangeSet returns it: JSON in a string, and numbers are text."""
    return json.dumps({"Properties": properties})


class FakeCloudFormation:
    """A stack whose last deployment failed, and the events of the next one.

    What it answers is held against botocore's model of CloudFormation.
    """

    def __init__(
        self, *statuses: str, execution: str = "AVAILABLE", status: str = "CREATE_COMPLETE"
    ) -> None:
        self.execution = execution
        self.status = status
        self.executed = execution == "EXECUTE_IN_PROGRESS"
        self.looks = 0
        self.quiet = 0  # Looks at the events before the next one comes.
        self.ids = itertools.count()
        self.log = [self.event("ROLLBACK_COMPLETE", STACK_ID)]
        self.coming = [self.event("UPDATE_COMPLETE", "function-id")]
        self.coming += [self.event(status, STACK_ID) for status in statuses]
        self.client = boto3.client("cloudformation", "eu-west-1")

    def event(self, status: str, physical_id: str) -> dict[str, Any]:
        return {
            "EventId": str(next(self.ids)),
            "StackName": STACK,
            "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
            "LogicalResourceId": physical_id,
            "PhysicalResourceId": physical_id,
            "StackId": STACK_ID,
            "ResourceStatus": status,
        }

    def answer(self, operation: str, answer: dict[str, Any], asked: dict[str, Any]) -> Any:
        with Stubber(self.client) as stubber:
            stubber.add_response(operation, answer, asked)
            return getattr(self.client, operation)(**asked)

    def describe_change_set(self, **asked: str) -> Any:
        answer = {"ExecutionStatus": self.execution, "Status": self.status}
        return self.answer("describe_change_set", answer | {"StatusReason": "Its reason."}, asked)

    def execute_change_set(self, **asked: str) -> None:
        self.answer("execute_change_set", {}, asked)
        self.executed = True
        self.execution = "EXECUTE_IN_PROGRESS"

    def get_paginator(self, _: str) -> "FakeCloudFormation":
        return self

    def paginate(self, **asked: str) -> list[Any]:
        self.looks += 1
        assert self.looks < 20, "it waits for what has come already"
        if self.executed and self.coming and self.looks > self.quiet:
            self.log.insert(0, self.coming.pop(0))
            if not self.coming:
                self.execution = "EXECUTE_COMPLETE"
        answers = [{"StackEvents": self.log[:1]}, {"StackEvents": self.log[1:]}]
        return [self.answer("describe_stack_events", answer, asked) for answer in answers]


def test_a_plan_is_read_from_what_sam_prints() -> None:
    lines = [
        '{"type": "changeset", "action": "Add", "logical_id": "Queue"}',
        "a line of text",
        '{"type": "result", "status": "changeset_created", "changeset_id": "arn"}',
    ]

    assert changes.read_plan(lines) == "arn"


def test_an_empty_plan_has_no_change_set() -> None:
    assert changes.read_plan(['{"type": "result", "status": "no_changes"}']) == ""


def test_a_plan_that_names_no_change_set_is_not_an_empty_one() -> None:
    with pytest.raises(SystemExit, match="names no change set"):
        changes.read_plan(['{"type": "changeset", "action": "Add", "logical_id": "Queue"}'])


def test_what_can_lose_data_is_shown_first() -> None:
    shown = changes.report(
        [
            change("E", "Add"),
            change("F", Replacement="False"),
            change("D", "Remove", PolicyAction="Retain"),
            change("C", "Remove", PolicyAction="Delete"),
            change("A", Replacement="True"),
            change("B", Replacement="Conditional", PolicyAction="ReplaceAndDelete"),
        ]
    )

    assert [row.split("|")[1:3] for row in shown.splitlines()[2:]] == [
        [" Modify, may replace ", " B "],
        [" Modify, replaces ", " A "],
        [" Remove ", " C "],
        [" Add ", " E "],
        [" Modify ", " F "],
        [" Remove, keeps the resource ", " D "],
    ]


def test_old_and_new_values_are_shown_and_policies_as_a_difference() -> None:
    statement = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "arn:queue"}
    before, after = (
        {"PolicyDocument": {"Statement": [statement | {"Action": actions}]}, "Name": "same"}
        for actions in (["sqs:SendMessage"], ["sqs:SendMessage", "sqs:*"])
    )

    shown = changes.report(
        [change("Policy", BeforeContext=context(before), AfterContext=context(after))]
    )

    assert [
        line
        for line in shown.partition("Modify: **Policy**")[2].splitlines()
        if line[:1] in {"+", "-"}
    ] == [
        '-            "sqs:SendMessage"',
        '+            "sqs:SendMessage",',
        '+            "sqs:*"',
    ]


def test_all_values_of_a_new_resource_are_shown_and_those_known_later_are_named() -> None:
    after = context({"Name": "new", "Role": "{{changeSet:KNOWN_AFTER_APPLY}}"})

    lines = changes.difference(change("Function", "Add", AfterContext=after))

    assert '+    "Name": "new",' in lines
    assert '+    "Role": "(known after apply)"' in lines
    assert {line[0] for line in lines} == {"+"}


def test_long_values_are_cut_and_say_so() -> None:
    lines = changes.difference(change("X", AfterContext=context({"Text": "x" * 5_000})))

    assert max(map(len, lines)) < 400
    assert [line for line in lines if line.endswith("… (5015 characters)")]


def test_every_page_of_a_change_set_is_read_with_values() -> None:
    client = boto3.client("cloudformation", "eu-west-1")
    asked = {"ChangeSetName": CHANGE_SET, "StackName": STACK, "IncludePropertyValues": True}
    with Stubber(client) as stubber:
        for name, here, following in (("A", {}, {"NextToken": "2"}), ("B", {"NextToken": "2"}, {})):
            answer = {"Changes": [{"Type": "Resource", "ResourceChange": change(name)}]}
            stubber.add_response("describe_change_set", answer | following, asked | here)

        pages = changes.describe(client, STACK, CHANGE_SET)

    assert [page["Changes"][0]["ResourceChange"]["LogicalResourceId"] for page in pages] == [
        "A",
        "B",
    ]


@pytest.mark.parametrize(("value", "hidden"), [("****", True), ("INFO", False), ("", False)])
def test_no_value_is_shown_where_a_parameter_is_secret(
    planned: Path,
    capsys: pytest.CaptureFixture[str],
    page: dict[str, Any],
    value: str,
    hidden: bool,
) -> None:
    page["Parameters"] = [{"ParameterKey": "Any", "ParameterValue": value}]

    changes.plan("dev")

    assert ("old value" not in capsys.readouterr().out) == hidden


@pytest.fixture
def page() -> dict[str, Any]:
    """The only page of the change set that `planned` describes."""
    removed = change("Table", "Remove", BeforeContext=context({"Name": "old value"}))
    return {"Changes": [{"Type": "Resource", "ResourceChange": removed}]}


@pytest.fixture
def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aws_answers: AwsAnswers, page: dict[str, Any]
) -> Path:
    """What GitHub gets from a plan with one change, after `changes.plan("dev")`."""
    output = tmp_path / "output"
    line = {"type": "result", "status": "changeset_created", "changeset_id": CHANGE_SET}
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setattr(changes, "PROJECT", tmp_path)
    (tmp_path / ".aws-sam" / "build").mkdir(parents=True)
    (tmp_path / ".aws-sam" / "build" / "template.yaml").touch()
    sam = subprocess.CompletedProcess([], 0, json.dumps(line))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: sam)
    monkeypatch.setattr(retiring, "refusal", lambda *_: "")
    arn = "arn:aws:iam::123456789012:user/x"
    caller = {"Account": "123456789012", "Arn": arn}
    aws_answers({"GetCallerIdentity": [caller], "DescribeChangeSet": [page]})
    return output


def test_github_gets_whether_there_are_changes_beside_the_change_set(planned: Path) -> None:
    changes.plan("dev")

    assert planned.read_text("utf-8").splitlines() == ["changes=true", f"change_set={CHANGE_SET}"]


def test_github_gets_that_nothing_would_change(
    planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "read_plan", lambda _: "")

    changes.plan("dev")

    assert planned.read_text("utf-8").splitlines() == ["changes=false", "change_set="]


def test_a_plan_that_takes_rights_away_too_early_is_shown_and_refused(
    planned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retiring, "refusal", lambda *_: "Not planned.")

    with pytest.raises(SystemExit, match="Not planned"):
        changes.plan("dev")

    assert "| Remove | Table |" in capsys.readouterr().out
    assert not planned.exists()


def test_a_plan_uses_what_the_administrator_set_up() -> None:
    command = " ".join(changes.sam_command("dev", STACK, "123456789012", "aws-cn"))

    project = STACK.removesuffix("-dev")
    role = f"arn:aws-cn:iam::123456789012:role/deploy/{STACK}-cloudformation"
    assert f"--s3-bucket {project}-artifacts-123456789012-dev" in command
    assert f"--role-arn {role}" in command
    assert "--no-execute-changeset" in command


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("CREATE_COMPLETE", 0),
        ("UPDATE_COMPLETE", 0),
        ("UPDATE_ROLLBACK_COMPLETE", 1),
        ("ROLLBACK_FAILED", 1),
    ],
)
def test_a_deployment_is_followed_to_its_end(end: str, code: int) -> None:
    cloudformation = FakeCloudFormation("UPDATE_IN_PROGRESS", end)

    assert changes.apply("dev", CHANGE_SET, cloudformation, pause=0) == code
    assert cloudformation.executed


@pytest.fixture
def running() -> FakeCloudFormation:
    """A change set that another job executes; no event of it has come yet."""
    cloudformation = FakeCloudFormation(
        "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", execution="EXECUTE_IN_PROGRESS"
    )
    cloudformation.quiet = 3
    for status in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"):
        cloudformation.log.insert(0, cloudformation.event(status, STACK_ID))
    return cloudformation


def test_an_execution_that_runs_already_is_followed_to_its_own_end(
    running: FakeCloudFormation,
) -> None:
    assert changes.apply("dev", CHANGE_SET, running, pause=0) == 1
    assert not running.coming


def test_an_execution_that_ends_while_it_is_looked_for_is_not_waited_for(
    running: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.log[:0] = reversed(running.coming)
    running.coming = []
    states = iter(["EXECUTE_IN_PROGRESS", "EXECUTE_FAILED"])
    monkeypatch.setattr(
        running, "describe_change_set", lambda **_: {"ExecutionStatus": next(states)}
    )

    assert changes.apply("dev", CHANGE_SET, running, pause=0) == 1


# Every ExecutionStatus of CloudFormation, and every Status of a change set that is UNAVAILABLE.
STATES = {
    ("EXECUTE_COMPLETE", "CREATE_COMPLETE"): "Applied already",
    ("EXECUTE_FAILED", "CREATE_COMPLETE"): "executed before, and failed",
    ("OBSOLETE", "CREATE_COMPLETE"): "the stack has changed",
    ("UNAVAILABLE", "CREATE_PENDING"): "still being created",
    ("UNAVAILABLE", "CREATE_IN_PROGRESS"): "still being created",
    ("UNAVAILABLE", "CREATE_COMPLETE"): "it is CREATE_COMPLETE",
    ("UNAVAILABLE", "DELETE_PENDING"): "it is DELETE_PENDING",
    ("UNAVAILABLE", "DELETE_IN_PROGRESS"): "it is DELETE_IN_PROGRESS",
    ("UNAVAILABLE", "DELETE_COMPLETE"): "it is DELETE_COMPLETE",
    ("UNAVAILABLE", "DELETE_FAILED"): "it is DELETE_FAILED",
    ("UNAVAILABLE", "FAILED"): "could not be created. Plan again. (Its reason.)",
}


@pytest.mark.parametrize(("execution", "status"), STATES)
def test_a_change_set_in_any_other_state_is_not_executed(
    execution: str, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudformation = FakeCloudFormation(execution=execution, status=status)

    code = changes.apply("dev", CHANGE_SET, cloudformation)

    assert code == (execution != "EXECUTE_COMPLETE")
    assert not cloudformation.executed
    assert STATES[execution, status] in capsys.readouterr().out


def test_no_state_of_a_change_set_is_forgotten() -> None:
    model = boto3.client("cloudformation", "eu-west-1").meta.service_model
    executions, statuses = (
        set(model.shape_for(name).metadata["enum"])
        for name in ("ExecutionStatus", "ChangeSetStatus")
    )

    assert {"AVAILABLE", "EXECUTE_IN_PROGRESS"} | {one for one, _ in STATES} == executions
    assert {status for _, status in STATES} == statuses


def test_the_role_that_applies_may_do_what_that_takes_and_no_more(aws_answers: AwsAnswers) -> None:
    """In prod, which is protected as well."""
    executed = FakeCloudFormation().event("UPDATE_COMPLETE", STACK_ID)
    states = [{"ExecutionStatus": state} for state in ("AVAILABLE", "EXECUTE_COMPLETE")]
    asked = aws_answers(
        {
            "DescribeChangeSet": states,
            "DescribeStackEvents": [{"StackEvents": []}, {"StackEvents": [executed]}],
            "ExecuteChangeSet": [{}],
            "UpdateTerminationProtection": [{}],
        }
    )
    role = template("toolkit/deploy/pipeline.yaml")["Resources"]["ApplyRole"]["Properties"]
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]

    assert changes.apply("prod", CHANGE_SET, pause=0) == 0

    assert {f"cloudformation:{operation}" for operation, _ in asked} == set(statement["Action"])
