"""Runs the real handlers on their sample events, without AWS, and reads their metrics."""

import atexit
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from toolkit.checks.cloudwatch import Metrics, read_emf
from toolkit.stacks import PROJECT
from toolkit.template import clients_of, functions, resolve, stand_ins

# Each invocation is a process of its own, as on Lambda: the environment is read at import. All are
# forks of one that has imported what every handler imports, which takes most of the time.
# Powertools reads its settings when a handler makes its logger and metrics, not at import.
_RUN = """
import importlib, io, json, os, sys, traceback
from contextlib import redirect_stdout
from types import SimpleNamespace
import boto3
import aws_lambda_powertools.logging, aws_lambda_powertools.metrics, aws_lambda_powertools.tracing
import aws_xray_sdk.core
from botocore.client import BaseClient

class Answer(dict):
    '''Whatever is asked of an answer of AWS is there.'''
    def __missing__(self, key):
        return '1' if key in ('S', 'N') else io.BytesIO() if key == 'Body' else Answer()

def invoke(handler, function, version, fails, variables, event):
    def call(*_):
        if fails:
            raise RuntimeError('broken')
        return Answer()

    os.environ |= variables
    BaseClient._make_api_call = call
    module, _, name = handler.rpartition('.')
    context = SimpleNamespace(
        function_name=function, function_version=version, memory_limit_in_mb=128,
        invoked_function_arn='arn', aws_request_id='request',
        get_remaining_time_in_millis=lambda: 30_000,
    )
    getattr(importlib.import_module(module), name)(event, context)

for line in sys.stdin:
    reading, writing = os.pipe()
    if os.fork() == 0:
        error, output = '', io.StringIO()
        try:
            with redirect_stdout(output):
                invoke(**json.loads(line))
        except BaseException as raised:
            error = traceback.format_exception_only(raised)[-1].strip()
        with open(writing, 'w', encoding='utf-8') as answer:
            json.dump([error, output.getvalue()], answer)
        os._exit(0)
    os.close(writing)
    with open(reading, encoding='utf-8') as answer:
        print(answer.read() or '["the process died", ""]', flush=True)
    os.wait()
"""


@dataclass(frozen=True)
class Invocation:
    """What one invocation leaves behind: the error that Lambda counts, and the code's metrics."""

    error: str = ""
    emf: tuple[dict[str, Any], ...] = ()


# A version that cannot be imported never comes to count anything.
CRASH = Invocation(error="Runtime.ImportModuleError")


def invoke(name: str, environment: str, version: str, *, fails: bool) -> Invocation:
    """Run a function's handler on its sample event; `fails` lets each call of AWS fail."""
    handler = functions()[name]["Handler"]
    event = json.loads((PROJECT / "events" / f"{handler.split('.')[-2]}.json").read_text("utf-8"))
    if fails and not clients_of(functions()[name]):
        event = None  # It calls nothing that could fail: what it gets is no event.
    return invoke_with(name, json.dumps(event), environment, version, fails=fails)


def variables_of(function: dict[str, Any], environment: str) -> dict[str, str]:
    """What a function needs in its environment variables to be imported, without AWS."""
    variables = {
        variable: str(resolve(value, environment))
        for variable, value in function["Environment"]["Variables"].items()
    }
    return {**variables, **stand_ins(function)}


@cache
def invoke_with(
    name: str, event: str, environment: str, version: str, *, fails: bool
) -> Invocation:
    """Run a function's handler on an event, which is JSON."""
    function = functions()[name]
    server = _server()
    assert server.stdin
    assert server.stdout
    asked = {
        "handler": function["Handler"],
        "function": resolve(function["FunctionName"], environment),
        "version": version,
        "fails": fails,
        "variables": variables_of(function, environment),
        "event": json.loads(event),
    }
    print(json.dumps(asked), file=server.stdin, flush=True)
    error, output = json.loads(server.stdout.readline())
    return Invocation(error, tuple(read_emf(output)))


@cache
def _server() -> subprocess.Popen[str]:
    """What forks a process for each invocation, as long as we run."""
    server = subprocess.Popen(
        [sys.executable, "-c", _RUN],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": "src"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(server.communicate)  # Closes its input, at which it ends.
    return server


def count(
    metrics: Metrics, function: str, version: str, invocation: Invocation, second: int, times: int
) -> None:
    """Count invocations by way of the alias, as Lambda does, and with them what the code counted.

    Lambda counts by function, by alias, and by alias and executed version.
    """
    dimensions = {"FunctionName": function}
    alias = {**dimensions, "Resource": f"{function}:live"}
    for found in (dimensions, alias, {**alias, "ExecutedVersion": version}):
        metrics.put("AWS/Lambda", "Invocations", found, second, 1, times)
        if invocation.error:
            metrics.put("AWS/Lambda", "Errors", found, second, 1, times)
    for document in invocation.emf:
        metrics.put_emf(document, second, times)
