"""Somebody hears of what goes wrong, and finds out what to do and what it looks like."""

import ast
import json
import re
from typing import Any

import pytest

from scripts.shipped import ENVIRONMENTS, alarms_on, functions, resolve, resources, template
from scripts.stacks import PROJECT

ALARMS = resources("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
@pytest.mark.parametrize("name", functions())
def test_errors_throttles_and_slowness_of_every_function_raise_an_alarm(
    name: str, environment: str
) -> None:
    """A duration alarm comes before the timeout does: at 80 % of it, in milliseconds."""
    function = functions()[name]
    timeout = int(resolve(function["Timeout"], environment))
    # An error may also be a refusal, which is business as usual: the template says how many are.
    alarm_at = template()["Mappings"]["AlarmAt"][function["Tags"]["function"]]
    usual = alarm_at.get("ErrorsPerMinute", 1)
    expected = {
        "Errors": ("Sum", usual),
        "Throttles": ("Sum", 1),
        "Duration": ("p99", 800 * timeout),
    }

    for metric, (statistic, threshold) in expected.items():
        [alarm] = alarms_on(f"AWS/Lambda {metric}", function["FunctionName"]).values()
        assert alarm.get("Statistic", alarm.get("ExtendedStatistic")) == statistic
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert int(resolve(alarm["Threshold"], environment)) == threshold


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_reaches_somebody(name: str) -> None:
    assert ALARMS[name]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_every_alarm_has_its_page_in_the_runbook_and_every_page_its_alarm() -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text("utf-8")

    assert sorted(re.findall(r"^## (\w+Alarm)$", runbook, re.MULTILINE)) == sorted(ALARMS)


def test_the_dashboard_shows_every_metric_that_the_code_counts_and_no_other() -> None:
    namespace = template()["Globals"]["Function"]["Environment"]["Variables"][
        "POWERTOOLS_METRICS_NAMESPACE"
    ]
    shown = {metric for found, metric, *_ in _metrics_shown() if found == namespace}
    counted = {
        ast.literal_eval(node.args[0])
        for path in (PROJECT / "src" / "service").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "metrics.add_metric"
    }

    assert shown == counted


def _metrics_shown() -> list[Any]:
    return [
        metric
        for dashboard in resources("AWS::CloudWatch::Dashboard").values()
        for widget in json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
        for metric in widget["properties"].get("metrics", [])
    ]
