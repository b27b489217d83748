"""The template against the code: what it reads is set, what it calls is allowed, and no more."""

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from toolkit.stacks import PROJECT
from toolkit.template import (
    CODE,
    ENVIRONMENTS,
    PACKAGE,
    as_list,
    functions,
    log_group_of,
    module_path,
    resolve,
    resources,
    statements,
    variables_read_by,
)

FUNCTIONS = [pytest.param(function, id=name) for name, function in functions().items()]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_template_sets_exactly_what_the_code_reads(function: dict[str, Any]) -> None:
    variables = function["Environment"]["Variables"]

    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == variables_read_by(
        function
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_but_settings_of_powertools_bears_its_name(function: dict[str, Any]) -> None:
    variables = function["Environment"]["Variables"]

    assert {name for name in variables if name.startswith("POWERTOOLS_")} <= {
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_TRACER_CAPTURE_ERROR",
    }
    assert variables["POWERTOOLS_TRACER_CAPTURE_ERROR"] == "false"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_logs_json_to_a_group_of_its_own(function: dict[str, Any]) -> None:
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert log_group_of(function)


@pytest.mark.parametrize("name", resources("AWS::Logs::LogGroup"))
def test_logs_are_kept_for_a_set_time(name: str) -> None:
    group = resources("AWS::Logs::LogGroup")[name]["Properties"]

    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", functions())
def test_every_function_is_versioned_traced_and_deployed_in_steps(name: str) -> None:
    function = functions()[name]

    assert function["AutoPublishAlias"] == "live"
    assert function["Tracing"] == "Active"
    assert function["Architectures"] == ["arm64"]
    assert function["DeploymentPreference"]["Type"] == {"Ref": "DeploymentType"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_timeouts_and_memory_are_set_and_short(function: dict[str, Any], environment: str) -> None:
    assert 1 <= int(resolve(function["Timeout"], environment)) <= 60
    assert 128 <= function["MemorySize"] <= 1_769


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_its_name_is_not_too_long_for_lambda(function: dict[str, Any], environment: str) -> None:
    """At most 64 characters (Lambda, CreateFunction): the stack's name and the function's own."""
    assert len(resolve(function["FunctionName"], environment)) <= 64


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_no_module_keeps_state_between_invocations(path: Path) -> None:
    """An execution environment is reused or not as Lambda likes: state there is lost or stale."""
    tree = ast.parse(path.read_text("utf-8"))
    mutable = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and _holds_state(node.value)
        if "__all__" not in ast.unparse(node)
    ]
    cached = [
        ast.unparse(decorator)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if "cache" in ast.unparse(decorator)
    ]
    changed = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Global)]

    assert mutable + cached + changed == []


def _holds_state(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        containers = r"\b(bytearray|Counter|deque|list|set|\w*(?<!Typed)[dD]ict)\b"
        return bool(re.search(containers, ast.unparse(value.func)))
    literals = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return isinstance(value, literals)


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_clients_are_made_once_and_not_per_event(path: Path) -> None:
    """Making a client takes tens of milliseconds, and opens a connection of its own."""
    inside_functions = [
        ast.unparse(call)
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "client"
    ]

    assert inside_functions == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_handler_is_observed(function: dict[str, Any]) -> None:
    """Without that it has no logs, and no garbage collector: the package turns it off."""
    module, _, name = function["Handler"].rpartition(".")
    path = module_path(module)
    [handler] = (
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )

    assert "observed" in [ast.unparse(decorator) for decorator in handler.decorator_list]


def test_every_handler_has_a_function() -> None:
    """A handler that template.yaml does not name is never deployed."""
    handlers = {
        f"{PACKAGE.name}.handlers.{path.stem}.handler"
        for path in (PACKAGE / "handlers").glob("[a-z]*.py")
    }

    assert handlers - {function["Handler"] for function in functions().values()} == set()


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
        for path in (PACKAGE / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    outside = {"aws_lambda_powertools", "boto3", "botocore", "os", PACKAGE.name, "toolkit"}
    allowed = {name for name in imported if name.startswith(f"{PACKAGE.name}.domain.")}
    allowed.add("toolkit.runtime.fields")  # It reads JSON, and nothing else.
    assert not {name for name in imported - allowed if name.split(".")[0] in outside}


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_no_trace_holds_what_a_function_answered(path: Path) -> None:
    """By default, Powertools stores answers as metadata of the trace."""
    tree = ast.parse(path.read_text("utf-8"))
    captures = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("capture_")
    ]
    allowed = [
        node.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        if "capture_response=False" in [ast.unparse(keyword) for keyword in node.keywords]
    ]

    assert [ast.unparse(capture) for capture in captures if capture not in allowed] == []


def test_tracing_is_set_up_in_one_place() -> None:
    """What it is built on ends in 2027: docs/adr/0008-tracing.md."""
    tracing = {
        path.relative_to(PROJECT).as_posix()
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        if re.search(r"aws_xray_sdk|powertools\.tracing|opentelemetry", ast.unparse(node))
    }

    assert tracing == {"toolkit/runtime/observability.py"}


def test_what_the_code_imports_is_shipped_with_it() -> None:
    """The local AWS would not notice: its environment holds more than Lambda's does."""
    pinned = (PROJECT / "src" / "requirements.txt").read_text("utf-8")
    shipped = {
        line.split("==")[0].replace("-", "_") for line in pinned.splitlines() if "==" in line
    }
    of_lambda = {"boto3", "botocore"}
    imported = {
        (node.module or "").split(".")[0]
        for path in CODE
        for node in _run_time_imports(ast.parse(path.read_text("utf-8")))
    }

    assert imported <= shipped | of_lambda | {PACKAGE.name, "toolkit"} | set(
        sys.stdlib_module_names
    )


def _run_time_imports(tree: ast.Module) -> list[ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    return [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
