"""Prod is protected after each deployment, and only prod."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.toolkit.test_changes import CHANGE_SET, FakeCloudFormation
from toolkit.commands import changes
from toolkit.commands.termination_protection import main, protect, refusal
from toolkit.stacks import settings_of
from toolkit.template import ENVIRONMENTS
from toolkit.testing import AwsAnswers


class Protecting(FakeCloudFormation):
    """A stack that can be protected, and whose deployment is over at once."""

    def __init__(self, end: str, execution: str = "AVAILABLE") -> None:
        super().__init__(end, execution=execution)
        self.protected: list[str] = []

    def update_termination_protection(self, **asked: Any) -> None:
        assert asked["EnableTerminationProtection"] is True
        self.protected.append(asked["StackName"])

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"EnableTerminationProtection": bool(self.protected)}]}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_only_prod_is_protected(env: str) -> None:
    stack: Any = Protecting("UPDATE_COMPLETE")

    protect(stack, env, "stack")

    assert stack.protected == (["stack"] if env == "prod" else [])
    assert bool(refusal(stack, "stack")) == (env == "prod")


@pytest.mark.parametrize(
    ("execution", "end", "protected"),
    [
        ("AVAILABLE", "CREATE_COMPLETE", 1),
        ("AVAILABLE", "UPDATE_ROLLBACK_COMPLETE", 0),
        ("EXECUTE_COMPLETE", "UPDATE_COMPLETE", 1),
    ],
)
def test_a_deployment_protects_prod(execution: str, end: str, protected: int) -> None:
    stack = Protecting(end, execution)

    changes.apply("prod", CHANGE_SET, stack, pause=0)

    assert len(stack.protected) == protected


@pytest.mark.parametrize("protected", [True, False])
def test_the_command_fails_for_a_stack_that_is_protected(
    protected: bool, aws_answers: AwsAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {
        "StackName": "stack",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "UPDATE_COMPLETE",
        "EnableTerminationProtection": protected,
    }
    asked = aws_answers({"DescribeStacks": [{"Stacks": [described]}]})
    monkeypatch.setattr("sys.argv", ["termination_protection", "--env", "prod"])

    with pytest.raises(SystemExit, match="was not removed") if protected else nullcontext():
        main()

    stack = settings_of("prod")["global"]["parameters"]["stack_name"]
    assert asked == [("DescribeStacks", {"StackName": stack})]
