"""The template against the code: what it reads is set, what it calls is allowed, and no more."""

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.shipped import (
    ENVIRONMENTS,
    PROJECT,
    as_list,
    calls_of,
    functions,
    resolve,
    resources,
    settings_of,
    statements,
)

FUNCTIONS = [pytest.param(function, id=name) for name, function in functions().items()]
# What Lambda does with a function's role, by the type of the function's event.
POLLING = {
    "DynamoDB": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    "Kinesis": {"DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator"},
    "SQS": {"DeleteMessage", "GetQueueAttributes", "ReceiveMessage"},
}
# What every function does: see WriteLogs and WriteTraces in the template.
OBSERVABILITY = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_template_sets_exactly_what_the_code_reads(function: dict[str, Any]) -> None:
    variables = function["Environment"]["Variables"]

    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == settings_of(
        function
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_role_allows_exactly_what_the_code_calls(function: dict[str, Any]) -> None:
    granted = {action for s in statements(function) for action in as_list(s["Action"])}
    polled = {
        f"{event['Type'].lower()}:{action}"
        for event in function.get("Events", {}).values()
        for action in POLLING.get(event["Type"], set())
    }

    assert granted == calls_of(function) | polled | OBSERVABILITY


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_role_of_its_own(function: dict[str, Any]) -> None:
    roles = [other["Role"]["Fn::GetAtt"] for other in functions().values()]

    assert roles.count(function["Role"]["Fn::GetAtt"]) == 1


@pytest.mark.parametrize(
    "role", resources("AWS::IAM::Role").values(), ids=list(resources("AWS::IAM::Role"))
)
def test_roles_name_their_actions_and_resources(role: dict[str, Any]) -> None:
    properties = role["Properties"]
    assert "ManagedPolicyArns" not in properties
    assert "PermissionsBoundary" in properties
    for policy in properties["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not [action for action in as_list(statement["Action"]) if "*" in action]
            if statement["Resource"] == "*":
                # X-Ray is the one service here whose actions take no resource.
                assert all(action.startswith("xray:") for action in as_list(statement["Action"]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_keeps_its_logs_for_a_set_time(function: dict[str, Any]) -> None:
    name = function["FunctionName"]["Fn::Sub"]
    groups = [group["Properties"] for group in resources("AWS::Logs::LogGroup").values()]

    [group] = [g for g in groups if g["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{name}"]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_is_versioned_traced_and_rolled_back_by_an_alarm(
    function: dict[str, Any],
) -> None:
    assert function["AutoPublishAlias"] == "live"
    assert function["Tracing"] == "Active"
    assert function["Architectures"] == ["arm64"]
    assert function["DeploymentPreference"]["Type"] == {"Ref": "DeploymentType"}
    alarms = resources("AWS::CloudWatch::Alarm")
    assert {alarm["Ref"] for alarm in function["DeploymentPreference"]["Alarms"]} <= alarms.keys()


@pytest.mark.parametrize("name", functions())
@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_has_its_alarms(name: str, metric: str) -> None:
    watched = [
        (alarm["Properties"]["MetricName"], dimension["Value"])
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Properties"]["Dimensions"]
    ]

    assert (metric, {"Ref": name}) in watched


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_timeouts_and_memory_are_set_and_short(function: dict[str, Any], environment: str) -> None:
    assert 1 <= int(resolve(function["Timeout"], environment)) <= 60
    assert 128 <= function["MemorySize"] <= 1_769


def test_every_alarm_has_its_page_in_the_runbook() -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text()

    assert [
        name for name in resources("AWS::CloudWatch::Alarm") if f"## {name}\n" not in runbook
    ] == []


def test_every_alarm_reaches_somebody() -> None:
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


SOURCES = sorted((PROJECT / "src" / "service").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_keeps_state_between_invocations(path: Path) -> None:
    """An execution environment is reused or not as Lambda likes: state there is lost or stale."""
    tree = ast.parse(path.read_text())
    containers = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    mutable = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, containers)
        if "__all__" not in ast.unparse(node)
    ]
    changed = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Global)]

    assert mutable + changed == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_clients_are_made_once_and_not_per_event(path: Path) -> None:
    """Making a client takes tens of milliseconds, and opens a connection of its own."""
    inside_functions = [
        ast.unparse(call)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "client"
    ]

    assert inside_functions == []


def test_no_function_calls_another() -> None:
    """Work is handed over through a queue, a bus or a state machine, which can wait and retry."""
    actions = {
        action
        for f in functions().values()
        for s in statements(f)
        for action in as_list(s["Action"])
    }

    assert "lambda:InvokeFunction" not in actions


def test_the_domain_knows_nothing_of_aws() -> None:
    imported = {
        name
        for path in (PROJECT / "src" / "service" / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    outside = {"aws_lambda_powertools", "boto3", "botocore", "os", "service"}
    assert not {name for name in imported if name.split(".")[0] in outside}


def test_what_the_code_imports_is_shipped_with_it() -> None:
    """The local AWS would not notice: its environment holds more than Lambda's does."""
    pinned = (PROJECT / "src" / "requirements.txt").read_text()
    shipped = {
        line.split("==")[0].replace("-", "_") for line in pinned.splitlines() if "==" in line
    }
    of_lambda = {"boto3", "botocore"}
    imported = {
        (node.module or "").split(".")[0]
        for path in SOURCES
        for node in _run_time_imports(ast.parse(path.read_text()))
    }

    assert imported <= shipped | of_lambda | {"service"} | set(sys.stdlib_module_names)


def _run_time_imports(tree: ast.Module) -> list[ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    return [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
