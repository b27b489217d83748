"""`make power-tuning`: what is asked of AWS Lambda Power Tuning, and how its answer is read."""

import json
import sys
import time
from typing import Any

import pytest

from toolkit.commands import power_tuning
from toolkit.stacks import settings_of
from toolkit.testing import AwsAnswers

STATE_MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:powerTuningStateMachine-1"
EXECUTION = STATE_MACHINE.replace(":stateMachine:", ":execution:") + ":x"
FUNCTION = settings_of("dev")["global"]["parameters"]["stack_name"] + "-Any"
BEST = {"power": 512, "cost": 2e-7, "duration": 12.5, "stateMachine": {"visualization": "url"}}


def answers(**execution: str) -> dict[str, list[dict[str, Any]]]:
    stack = {"StackName": "x", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE"}
    output = {"OutputKey": "StateMachine", "OutputValue": STATE_MACHINE}
    common = {"executionArn": EXECUTION, "stateMachineArn": STATE_MACHINE, "startDate": 0}
    return {
        "DescribeStacks": [{"Stacks": [stack | {"Outputs": [output]}]}],
        "StartExecution": [{"executionArn": EXECUTION, "startDate": 0}],
        "DescribeExecution": [common | {"status": "RUNNING"}, common | execution],
    }


@pytest.fixture(autouse=True)
def command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["power-tuning", "--function", "Any"])
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_the_input_passes_the_checks_of_the_state_machine(aws_answers: AwsAnswers) -> None:
    """lambda/initializer.js, executor.js, analyzer.js and utils.js of release 4.4.0."""
    asked = aws_answers(answers(status="SUCCEEDED", output=json.dumps(BEST)))

    power_tuning.main()

    sent = json.loads(dict(asked)["StartExecution"]["input"])
    arn = sent["lambdaARN"].split(":")
    assert len(arn) == 7, "regionFromARN refuses a name, and an ARN with a version or an alias"
    assert arn[:6] == ["arn", "aws", "lambda", "eu-west-1", "123456789012", "function"]
    assert arn[6] == FUNCTION
    assert sent["num"] >= 5
    assert all(128 <= size <= 10_240 for size in sent["powerValues"])
    assert isinstance(sent["payload"], dict), "a list would have to be of payloads and weights"
    assert sent["strategy"] in {"cost", "speed", "balanced"}


def test_best_size_is_reported(aws_answers: AwsAnswers, capsys: pytest.CaptureFixture[str]) -> None:
    aws_answers(answers(status="SUCCEEDED", output=json.dumps(BEST)))

    power_tuning.main()

    assert capsys.readouterr().out.startswith("512 MB: $0.20 and 12 ms per call")


@pytest.mark.parametrize(
    "end",
    [
        {"status": "FAILED", "error": "Error", "cause": "why"},
        {"status": "TIMED_OUT"},
        # CleanUpOnError of its definition ends an execution that way.
        {"status": "SUCCEEDED", "output": "{}"},
    ],
)
def test_failed_measurement_is_reported(aws_answers: AwsAnswers, end: dict[str, str]) -> None:
    aws_answers(answers(**end))

    with pytest.raises(SystemExit, match="Not measured"):
        power_tuning.main()


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_it_runs_in_dev_only(env: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["power-tuning", "--function", "Any", "--env", env])

    with pytest.raises(SystemExit, match="in dev only"):
        power_tuning.main()
