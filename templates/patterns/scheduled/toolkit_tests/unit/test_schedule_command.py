"""What people do with a schedule: run it now, pause it, resume it, and see when it fires."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from toolkit.checks.test_commands import make
from toolkit.commands import schedule
from toolkit.commands.schedule import main, run_now, set_state, times
from toolkit.runtime.runs import RunMessage
from toolkit.testing import AwsAnswers

ARN = "arn:aws:scheduler:eu-west-1:123456789012:schedule/group/runs"
FOUND: dict[str, Any] = {
    "Arn": ARN,
    "Name": "runs",
    "GroupName": "group",
    "ScheduleExpression": "cron(0 4 * * ? *)",
    "ScheduleExpressionTimezone": "Europe/Berlin",
    "State": "ENABLED",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Description": "why",
    "CreationDate": datetime(2026, 1, 1, tzinfo=UTC),
    "LastModificationDate": datetime(2026, 1, 1, tzinfo=UTC),
    "Target": {
        "Arn": "arn:aws:sqs:eu-west-1:123456789012:queue",
        "RoleArn": "arn:aws:iam::123456789012:role/schedule",
        "Input": "input",
        "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:dead-letters"},
        "RetryPolicy": {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600},
    },
}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        schedule, "outputs_of", lambda _: {"QueueUrl": "https://queue", "ScheduleArn": ARN}
    )


def test_update_has_the_whole_definition(aws_answers: AwsAnswers) -> None:
    """What is left out, UpdateSchedule sets to its default."""
    asked = aws_answers({"GetSchedule": [FOUND], "UpdateSchedule": [{"ScheduleArn": ARN}]})

    assert set_state(boto3.client("scheduler", region_name="eu-west-1"), ARN, "DISABLED") == (
        "ENABLED"
    )

    read_only = {"Arn", "CreationDate", "LastModificationDate"}
    same = {key: value for key, value in FOUND.items() if key not in read_only}
    assert asked[1] == ("UpdateSchedule", same | {"State": "DISABLED"})


def test_every_field_that_can_be_set_is_taken_over() -> None:
    """AWS's own model says which: a new one must not be lost."""
    model: Any = boto3.client("scheduler", region_name="eu-west-1").meta.service_model
    answered = model.operation_model("GetSchedule").output_shape.members.keys()
    taken = model.operation_model("UpdateSchedule").input_shape.members.keys()

    assert answered - schedule._READ_ONLY == taken - {"ClientToken"}


def test_run_now_sends_what_the_schedule_sends(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"SendMessage": [{"MessageId": "1"}]})
    sqs = boto3.client("sqs", region_name="eu-west-1")

    assert run_now(sqs, "https://queue", ARN, "2026-01-01T02:00:00Z") == "1"

    assert asked[0][1]["MessageBody"] == RunMessage(ARN, "2026-01-01T02:00:00Z").to_json()


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-02-30T00:00:00Z"])
def test_run_now_refuses_what_is_no_time(at: str, aws_answers: AwsAnswers) -> None:
    aws_answers({})

    with pytest.raises(SystemExit, match="AT: scheduled_time"):
        run_now(boto3.client("sqs", region_name="eu-west-1"), "https://queue", ARN, at)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run-now"], "Sent the run of 20"),
        (["run-now", "--at", "2026-01-01T02:00:00Z"], "Sent the run of 2026-01-01T02:00:00Z"),
        (["pause"], "was ENABLED and is DISABLED"),
        (["resume"], "was ENABLED and is ENABLED"),
        (["times"], "in "),
    ],
)
def test_command_says_what_it_did(
    here: None,
    aws_answers: AwsAnswers,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    aws_answers(
        {
            "SendMessage": [{"MessageId": "1"}],
            "GetSchedule": [FOUND],
            "UpdateSchedule": [{"ScheduleArn": ARN}],
        }
    )
    monkeypatch.setattr(sys, "argv", ["schedule", *arguments])

    main()

    assert said in capsys.readouterr().out


def listed(monkeypatch: pytest.MonkeyPatch, expression: str, zone: str) -> str:
    properties = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}
    monkeypatch.setattr(schedule, "resources", lambda _: {"Schedule": {"Properties": properties}})
    return "\n".join(times(datetime(2026, 1, 1, 12, tzinfo=UTC)))


def test_times_show_both_clock_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = listed(monkeypatch, "cron(30 2 * * ? *)", "Europe/Berlin")

    assert "2026-01-02 02:30 CET  01:30 UTC" in text
    assert "Clocks change on 2026-03-29:\n  2026-03-30 02:30 CEST  00:30 UTC" in text
    assert "2026-03-29 02:30 does not exist, and is skipped" in text
    assert "Clocks change on 2026-10-25:\n  2026-10-25 02:30 CEST  00:30 UTC" in text


def test_rate_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "in real time" in listed(monkeypatch, "rate(5 minutes)", "UTC")


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        (["run-now"], "run-now --env dev"),
        (["run-now", "ENV=prod", "AT=2026-01-01T02:00:00Z"], 'run-now --env prod --at "$AT"'),
        (["pause", "ENV=prod"], "pause --env prod"),
        (["resume"], "resume --env dev"),
        (["fire-times"], "times"),
    ],
)
def test_each_command_runs_what_it_says(arguments: list[str], run: str, tmp_path: Path) -> None:
    shown = make("--dry-run", *arguments, f"VENV={tmp_path}/new")

    [found] = re.findall(r"toolkit schedule (.*)", shown.stdout)
    assert found.strip() == run
