"""Every invocation leaves one closing line and a segment, and errors reach Lambda."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from toolkit.runtime.observability import (
    MetricUnit,
    correlation_id_or,
    logger,
    metrics,
    observed,
    version_metrics,
)
from toolkit.stacks import PROJECT
from toolkit.testing import Lines, Measured, Trace


def test_a_handler_that_returns_leaves_a_line_with_all_that_operations_need(
    context: Any, lines: Lines
) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> str:
        time.sleep(0.02)
        return "answer"

    assert handler({}, context) == "answer"

    last = next(line for line in lines() if line.get("message") == "finished")
    assert last["level"] == "INFO"
    assert last["service"] == "test"
    assert last["function_name"] == context.function_name
    assert last["function_request_id"] == context.aws_request_id
    assert isinstance(last["cold_start"], bool)
    assert 20 <= last["duration_ms"] < 20_000


def test_a_handler_that_raises_is_logged_and_raises(context: Any, lines: Lines) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        handler({}, context)

    levels = [(line["level"], line["message"]) for line in lines()]
    assert levels == [("ERROR", "the handler raised an error"), ("INFO", "failed")]


def test_the_event_and_the_answer_stay_out_of_the_logs(context: Any, lines: Lines) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> str:
        return "marked answer"

    handler({"body": "marked event"}, context)

    assert "marked" not in str(lines())


def test_nothing_is_carried_over_to_the_next_invocation(context: Any, lines: Lines) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        if event:
            logger.append_keys(order_id="a")

    handler({"first": True}, context)
    handler({}, context)

    *_, last = [line for line in lines() if line.get("message") == "finished"]
    assert "order_id" not in last


def test_what_an_invocation_measured_is_written_once_even_if_it_fails(
    context: Any, measured: Measured
) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        if event:
            metrics.add_metric("Things", MetricUnit.Count, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        handler({"first": True}, context)
    handler({}, context)

    assert measured() == {"Things": 2}


def test_what_alarms_need_is_counted_by_function_and_by_version_when_the_invocation_began(
    context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Lambda counts its own metrics, so that the two can be set off against each other."""
    began = time.time() * 1000

    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        time.sleep(0.02)
        version_metrics.add_metric("Failures", MetricUnit.Count, 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        handler({}, context)
    ended = time.time() * 1000

    [document] = map(json.loads, capsys.readouterr().out.splitlines())
    [directive] = document["_aws"]["CloudWatchMetrics"]
    by_function, by_version = map(set, directive["Dimensions"])
    assert by_function == {"FunctionName"}
    assert by_version == {"FunctionName", "ExecutedVersion"}
    assert document["FunctionName"] == context.function_name
    assert document["ExecutedVersion"] == context.function_version
    assert document["Failures"] == [1]
    assert began - 1 <= document["_aws"]["Timestamp"] <= ended - 20


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "any"}, ["False False", "True True"]),
        ({}, ["True False", "True False"]),
    ],
)
def test_on_lambda_only_garbage_is_not_looked_for_until_the_handler_is_there(
    environment: dict[str, str], expected: list[str]
) -> None:
    """In a process of its own: this one has long imported everything."""
    code = """
import gc
import service
print(gc.isenabled(), gc.get_freeze_count() > 0)
from toolkit.runtime.observability import observed
observed(lambda event, context: None)
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={"PYTHONPATH": "src", **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )

    assert done.stdout.splitlines() == expected


def test_a_handler_is_traced_without_its_answer(context: Any, trace: Trace) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> str:
        return "answer"

    handler({}, context)

    assert trace == {"## handler": {}}


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 64])
def test_a_correlation_id_of_the_caller_is_kept(given: str) -> None:
    assert correlation_id_or("ours", given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", 'a"b', "a\nb", "{}", "ä"])
def test_anything_else_stays_out_of_the_logs(given: str | None) -> None:
    assert correlation_id_or("ours", given) == "ours"
