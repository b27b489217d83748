"""Alarms notify operators, and have a page in the runbook; the dashboard shows the metrics."""

import ast
import json
import re
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Identity, Metrics, metrics_of
from toolkit.checks.invocations import CRASH, Invocation, count
from toolkit.stacks import PROJECT
from toolkit.template import (
    CODE,
    ENVIRONMENTS,
    alarms_on,
    functions,
    resolve,
    resources,
    template,
    the_one,
    watched_by,
)

ALARMS = resources("AWS::CloudWatch::Alarm")
ENOUGH = 5 * 60
NONE: frozenset[tuple[str, str]] = frozenset()
ADDING = ("metrics.add_metric", "version_metrics.add_metric")


def alarms_after(name: str, failed: int, calls: int) -> set[str]:
    """The alarms that are in ALARM when some calls of the last five minutes died."""
    metrics = Metrics()
    function = resolve(functions()[name]["FunctionName"], "prod")
    count(metrics, function, "1", CRASH, 0, failed)
    count(metrics, function, "1", Invocation(), 0, calls - failed)
    return metrics.firing("prod", ENOUGH)


@pytest.mark.parametrize(
    ("failed", "calls", "fires"),
    [
        pytest.param(5, 5, True, id="every call, one a minute"),
        pytest.param(3, 50, True, id="few calls, 3 of them"),
        pytest.param(1, 5, False, id="one lost call"),
        pytest.param(2, 2, False, id="two"),
        pytest.param(2_000, 30_000, True, id="many calls, 7 % of them"),
        pytest.param(300, 30_000, False, id="many calls, 1 % of them"),
    ],
)
@pytest.mark.parametrize("name", functions())
def test_failures_raise_one_alarm_by_their_number_and_share(
    name: str, failed: int, calls: int, fires: bool
) -> None:
    """Not by the alarm's name: whichever is in ALARM, there is one. A canary is over by then."""
    assert len(alarms_after(name, failed, calls)) == int(fires)


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
@pytest.mark.parametrize("name", functions())
def test_throttles_and_slowness_of_every_function_raise_an_alarm(
    name: str, environment: str
) -> None:
    """A duration alarm comes before the timeout does: at 80 % of it, in milliseconds."""
    function = functions()[name]
    timeout = int(resolve(function["Timeout"], environment))
    expected = {"Throttles": ("Sum", 1), "Duration": ("p99", 800 * timeout)}

    for metric, (statistic, threshold) in expected.items():
        alarm = the_one(
            alarms_on(f"AWS/Lambda {metric}", function["FunctionName"]).values(),
            f"{name} in the list under Fn::ForEach::Functions, which gives it its alarms",
        )
        assert alarm.get("Statistic", alarm.get("ExtendedStatistic")) == statistic
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert int(resolve(alarm["Threshold"], environment)) == threshold


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_reaches_somebody(name: str) -> None:
    assert ALARMS[name]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


@pytest.mark.parametrize("name", ALARMS)
def test_what_is_over_sends_no_second_mail(name: str) -> None:
    assert "OKActions" not in ALARMS[name]["Properties"]


def test_every_alarm_has_its_page_in_the_runbook_and_every_page_its_alarm() -> None:
    """The page `…ErrorsAlarm` is about that alarm of every function that has none of its own."""
    runbook = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    pages = re.findall(r"^## (…?\w+Alarm)$", runbook, re.MULTILINE)
    shared = {page.removeprefix("…") for page in pages if page.startswith("…")}
    kinds = {name: name.removeprefix(_function_of(name)) for name in ALARMS}

    assert sorted(pages) == sorted(set(pages))
    assert [name for name in ALARMS if name not in pages and kinds[name] not in shared] == []
    assert [page for page in pages if page.strip("…") not in {*ALARMS, *kinds.values()}] == []


def test_operations_says_what_the_alarms_cost() -> None:
    """CloudWatch charges an alarm by the metrics that it watches, $0.10 each.

    Alarms that were added since may be missing there.
    """
    watched = sum(len(watched_by(alarm["Properties"])) for alarm in ALARMS.values())
    costs = " ".join((PROJECT / "docs" / "operations.md").read_text("utf-8").split())
    said = re.search(r"\((\d+) in (\d+) alarms: \$([\d.]+)\)", costs)

    assert said
    assert int(said[1]) <= watched
    assert int(said[2]) <= len(ALARMS)
    assert float(said[3]) == int(said[1]) / 10


def _function_of(alarm: str) -> str:
    names = [name.removesuffix("Function") for name in functions()]
    return next((name for name in names if alarm.startswith(name)), "")


def test_the_dashboard_shows_every_metric_that_the_code_counts_and_no_other() -> None:
    namespace = template()["Globals"]["Function"]["Environment"]["Variables"][
        "POWERTOOLS_METRICS_NAMESPACE"
    ]
    own = resolve(namespace, "prod")
    shown = {metric for found, metric, *_ in _metrics_shown("prod") if found == own}
    counted = {
        ast.literal_eval(node.args[0])
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ADDING
    }

    assert shown == counted


@pytest.mark.parametrize(
    ("one", "other"), [("dev", "staging"), ("dev", "prod"), ("staging", "prod")]
)
def test_nothing_of_one_environment_counts_in_another(one: str, other: str) -> None:
    """All of them may share an account."""
    assert _watched(one)
    assert _watched(one) & _watched(other) == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_alarms_on_what_the_code_counts_look_where_it_counts(environment: str) -> None:
    written = {space for kind, space, _ in _watched(environment) if kind == "namespace"}
    watched = {
        space
        for alarm in ALARMS.values()
        for space, *_ in metrics_of(alarm["Properties"], environment)
    }

    assert {space for space in watched if not space.startswith("AWS/")} <= written


def _watched(environment: str) -> set[Identity]:
    """The metrics of an environment's alarms and dashboard, and the namespace of its code."""
    alarms = {
        metric
        for alarm in ALARMS.values()
        for metric in metrics_of(alarm["Properties"], environment)
    }
    shown = set()
    for namespace, metric, *dimensions in _metrics_shown(environment):
        pairs = [value for value in dimensions if isinstance(value, str)]
        shown.add((namespace, metric, frozenset(zip(pairs[::2], pairs[1::2], strict=True))))
    written = {
        ("namespace", str(resolve(variables["POWERTOOLS_METRICS_NAMESPACE"], environment)), NONE)
        for variables in [f["Environment"]["Variables"] for f in functions().values()]
    }
    return alarms | shown | written


def _metrics_shown(environment: str) -> list[Any]:
    return [
        metric
        for dashboard in resources("AWS::CloudWatch::Dashboard").values()
        for widget in json.loads(resolve(dashboard["Properties"]["DashboardBody"], environment))[
            "widgets"
        ]
        for metric in widget["properties"].get("metrics", [])
    ]
