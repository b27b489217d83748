"""A version that fails is taken back by an alarm that its own deployment watches."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics, calculate, metrics_of
from toolkit.checks.invocations import CRASH, Invocation, count, invoke
from toolkit.template import functions, parameters, resolve, resources

# What `Fn::GetAtt: [..., Version.Version]` is while a deployment runs, and the version before it.
NEW, OLD = "2", "1"
A_MINUTE, A_SECOND = 1, 60
RATES = [
    pytest.param(1 * A_MINUTE, id="one request a minute"),
    pytest.param(100 * A_SECOND, id="a hundred requests a second"),
]
every_function = pytest.mark.parametrize("name", functions())


def alarms_that_guard(name: str) -> dict[str, dict[str, Any]]:
    alarms = resources("AWS::CloudWatch::Alarm")
    found = functions()[name]["DeploymentPreference"].get("Alarms", [])
    to_add = (
        f"DeploymentPreference: {{ "{{" }} Alarms: [!Ref {name.removesuffix('Function')}CanaryAlarm] }}"
    )
    assert found, f"add to {name}: {to_add}"
    return {alarm["Ref"]: alarms[alarm["Ref"]]["Properties"] for alarm in found}


def shares_of_the_new_version() -> list[float]:
    """Which part of the traffic the new version gets, minute by minute, until it gets all."""
    kind = parameters("prod")["DeploymentType"]
    if found := re.fullmatch(r"Canary(\d+)Percent(\d+)Minutes", kind):
        return [int(found[1]) / 100] * int(found[2])
    linear = re.fullmatch(r"Linear(\d+)PercentEvery(\d+)Minutes?", kind)
    assert linear, kind
    percent, minutes = int(linear[1]), int(linear[2])
    return [step / 100 for step in range(percent, 100, percent) for _ in range(minutes)]


def requests(per_minute: int) -> Iterator[tuple[int, int, int]]:
    """For each minute of a deployment: its start, and the new and the old version's requests."""
    due, served = 0.0, 0
    for minute, share in enumerate(shares_of_the_new_version()):
        due = round(due + share * per_minute, 9)
        new = int(due) - served
        served += new
        yield minute * 60, new, per_minute - new


def alarms_of_a_release(
    name: str, per_minute: int, new: Invocation, *, failing: int | None = None
) -> set[str]:
    """The alarms that guard a function and go off before its new version has all traffic.

    Args:
        name: the function.
        per_minute: how many requests come, for both versions together.
        new: what an invocation of the new version leaves behind.
        failing: how many invocations do so; None for each. The others work.
    """
    metrics = Metrics()
    function = resolve(functions()[name]["FunctionName"], "prod")
    fired: set[str] = set()
    works = {version: invoke(name, "prod", version, fails=False) for version in (NEW, OLD)}
    left = failing
    for start, of_new, of_old in requests(per_minute):
        bad = of_new if left is None else min(left, of_new)
        left = None if left is None else left - bad
        count(metrics, function, NEW, new, start, bad)
        count(metrics, function, NEW, works[NEW], start, of_new - bad)
        count(metrics, function, OLD, works[OLD], start, of_old)
        for alarm, properties in alarms_that_guard(name).items():
            if metrics.state(properties, "prod", start + 60) == "ALARM":
                fired.add(alarm)
    return fired


@pytest.mark.parametrize("per_minute", RATES)
@every_function
def test_a_version_that_always_fails_is_taken_back(name: str, per_minute: int) -> None:
    assert alarms_of_a_release(name, per_minute, invoke(name, "prod", NEW, fails=True))


@pytest.mark.parametrize("per_minute", RATES)
@every_function
def test_a_version_that_cannot_be_imported_is_taken_back(name: str, per_minute: int) -> None:
    """It emits no metrics of its own: what they are compared with must not make the alarm blind."""
    assert alarms_of_a_release(name, per_minute, CRASH)


@pytest.mark.parametrize("per_minute", RATES)
@every_function
def test_a_version_that_works_is_not_taken_back(name: str, per_minute: int) -> None:
    works = invoke(name, "prod", NEW, fails=False)

    assert works.error == ""
    assert not alarms_of_a_release(name, per_minute, works)


@every_function
def test_one_error_at_200_requests_a_second_takes_nothing_back(name: str) -> None:
    fails = invoke(name, "prod", NEW, fails=True)

    assert not alarms_of_a_release(name, 200 * A_SECOND, fails, failing=1)


@every_function
def test_no_deployment_is_held_up_by_what_an_older_version_did(name: str) -> None:
    """CodeDeploy starts no deployment while an alarm is in ALARM, and would not deploy the fix.

    So what guards a deployment counts the new version alone: no queue's depth, no other version.
    """
    function = resolve(functions()[name]["FunctionName"], "prod")

    for alarm in alarms_that_guard(name).values():
        for _, metric, dimensions in metrics_of(alarm, "prod"):
            expected = {("FunctionName", function), ("ExecutedVersion", NEW)}
            assert expected <= dimensions, f"{metric} counts more than the new version of {name}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("100 * a / b", {0: 50.0, 60: 0.0}, id="missing counts as 0"),
        pytest.param("b / a", {0: 2.0}, id="a division by zero gives no data point"),
        pytest.param("a - never", {0: 1.0}, id="a metric that never came counts as 0"),
        pytest.param("IF(b >= 3, a, 0)", {0: 0.0, 60: 0.0}, id="IF without a data point is 0"),
        pytest.param("FILL(a, 0)", {0: 1.0, 60: 0.0}, id="FILL gives a missing value a value"),
        pytest.param("IF(b >= 3, 7, c)", {60: 7.0}, id="IF drops what has no other value"),
    ],
)
def test_metric_math_is_as_aws_documents_it(expression: str, expected: dict[int, float]) -> None:
    named = {"a": {0: 1.0}, "b": {0: 2.0, 60: 3.0}, "c": {}, "never": {}}

    assert calculate(expression, named, [0, 60]) == expected


@pytest.mark.parametrize("expression", ["FILL(a, REPEAT)", "a ^ 2", "SUM([a, b])", "unknown + 1"])
def test_metric_math_that_is_not_known_here_is_an_error(expression: str) -> None:
    with pytest.raises(NotImplementedError):
        calculate(expression, {"a": {0: 1.0}, "b": {0: 2.0}})
