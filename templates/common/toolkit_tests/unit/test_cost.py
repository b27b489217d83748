"""The month's cost, per function."""

import sys
from typing import Any

import pytest

from toolkit.commands.cost import main, table
from toolkit.stacks import settings_of
from toolkit.testing import AwsAnswers


def group(key: str, amount: str) -> dict[str, object]:
    return {"Keys": [key], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}


def test_every_function_has_a_line_and_the_sum_comes_last() -> None:
    lines = table([group("function$Submit", "1.5"), group("function$", "0.25")]).splitlines()

    assert [line.split() for line in lines] == [
        ["(shared)", "0.25", "USD"],
        ["Submit", "1.50", "USD"],
        ["in", "all", "1.75", "USD"],
    ]


def test_this_month_of_this_project_is_asked_for(
    aws_answers: AwsAnswers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = aws_answers({"GetCostAndUsage": [{"ResultsByTime": [{"Groups": []}]}]})
    monkeypatch.setattr(sys, "argv", ["cost", "--env", "dev"])

    main()

    [(_, request)] = asked
    project = settings_of("dev")["global"]["parameters"]["stack_name"].removesuffix("-dev")
    assert request["Filter"]["And"] == [
        {"Tags": {"Key": "project", "Values": [project]}},
        {"Tags": {"Key": "environment", "Values": ["dev"]}},
    ]
    assert "No cost has been recorded" in capsys.readouterr().out


def test_every_page_counts(
    aws_answers: AwsAnswers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages: list[dict[str, Any]] = [
        {"ResultsByTime": [{"Groups": [group("function$Submit", "1")]}], "NextPageToken": "2"},
        {"ResultsByTime": [{"Groups": [group("function$Process", "2")]}]},
    ]
    asked = aws_answers({"GetCostAndUsage": pages})
    monkeypatch.setattr(sys, "argv", ["cost"])

    main()

    assert [request.get("NextPageToken") for _, request in asked] == [None, "2"]
    assert capsys.readouterr().out.split()[-3:] == ["all", "3.00", "USD"]
