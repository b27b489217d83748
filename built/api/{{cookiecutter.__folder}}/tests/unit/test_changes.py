"""`make plan` and `make apply`: what is shown before a deployment, and how its end is told."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from scripts import changes
from scripts.stacks import settings_of

STACK: str = settings_of("dev")["global"]["parameters"]["stack_name"]
CHANGE_SET = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/samcli-deploy1/id"


class FakeCloudFormation:
    """A stack whose last deployment failed, and the events of the next one."""

    def __init__(self, *statuses: str, execution: str = "AVAILABLE") -> None:
        self.execution = execution
        self.executed = False
        self.ids = itertools.count()
        self.log = [self.event("ROLLBACK_COMPLETE", "stack-id")]
        self.coming = [self.event("UPDATE_COMPLETE", "function-id")]
        self.coming += [self.event(status, "stack-id") for status in statuses]

    def event(self, status: str, physical_id: str) -> dict[str, str]:
        return {
            "EventId": str(next(self.ids)),
            "LogicalResourceId": physical_id,
            "PhysicalResourceId": physical_id,
            "StackId": "stack-id",
            "ResourceStatus": status,
        }

    def describe_change_set(self, **_: str) -> dict[str, str]:
        return {"ExecutionStatus": self.execution}

    def execute_change_set(self, **_: str) -> None:
        self.executed = True

    def get_paginator(self, _: str) -> "FakeCloudFormation":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        if self.executed and self.coming:
            self.log.insert(0, self.coming.pop(0))
        return [{"StackEvents": self.log[:1]}, {"StackEvents": self.log[1:]}]


def test_a_plan_is_read_from_what_sam_prints() -> None:
    change_set, found = changes.read_plan(
        [
            '{"type": "changeset", "action": "Add", "logical_id": "Queue"}',
            "a line of text",
            '{"type": "result", "status": "changeset_created", "changeset_id": "arn"}',
        ]
    )

    assert change_set == "arn"
    assert [change["logical_id"] for change in found] == ["Queue"]


def test_an_empty_plan_has_no_change_set() -> None:
    assert changes.read_plan(['{"type": "result", "status": "no_changes"}']) == ("", [])


def test_what_can_lose_data_is_shown_first() -> None:
    shown = changes.table(
        {"action": action, "logical_id": "X", "resource_type": "T", "replacement": replacement}
        for action, replacement in [
            ("Add", "N/A"),
            ("Modify", "False"),
            ("Modify", "True"),
            ("Modify", "Conditional"),
            ("Remove", "N/A"),
        ]
    )

    assert [row.split("|")[1].strip() for row in shown.splitlines()[2:]] == [
        "Modify, replaces",
        "Modify, replaces",
        "Remove",
        "Add",
        "Modify",
    ]


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


@pytest.mark.parametrize(("execution", "code"), [("EXECUTE_COMPLETE", 0), ("OBSOLETE", 1)])
def test_a_change_set_is_executed_once(execution: str, code: int) -> None:
    cloudformation = FakeCloudFormation(execution=execution)

    assert changes.apply("dev", CHANGE_SET, cloudformation) == code
    assert not cloudformation.executed


def test_github_gets_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))

    changes.tell_github("GITHUB_OUTPUT", "change_set=")

    assert output.read_text(encoding="utf-8") == "change_set=\n"
