"""Runs the real handlers on their sample events, without AWS, and reads their metrics."""

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

# In a process of its own, as on Lambda: the environment is read at import.
_RUN = """
import importlib, json, sys
from types import SimpleNamespace
from botocore.client import BaseClient

class Answer(dict):
    '''Whatever is asked of an answer of AWS is there.'''
    def __missing__(self, key):
        return '1' if key in ('S', 'N') else Answer()

def call(*_):
    if sys.argv[4] == 'fails':
        raise RuntimeError('broken')
    return Answer()

BaseClient._make_api_call = call
module, _, name = sys.argv[1].rpartition('.')
context = SimpleNamespace(
    function_name=sys.argv[2], function_version=sys.argv[3], memory_limit_in_mb=128,
    invoked_function_arn='arn', aws_request_id='request',
    get_remaining_time_in_millis=lambda: 30_000,
)
getattr(importlib.import_module(module), name)(json.load(sys.stdin), context)
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


@cache
def invoke_with(
    name: str, event: str, environment: str, version: str, *, fails: bool
) -> Invocation:
    """Run a function's handler on an event, which is JSON."""
    function = functions()[name]
    variables = {
        variable: str(resolve(value, environment))
        for variable, value in function["Environment"]["Variables"].items()
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _RUN,
            function["Handler"],
            resolve(function["FunctionName"], environment),
            version,
            "fails" if fails else "works",
        ],
        cwd=PROJECT,
        env={**os.environ, **variables, **stand_ins(function), "PYTHONPATH": "src"},
        input=event,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )
    error = done.stderr.strip().splitlines()[-1] if done.returncode else ""
    return Invocation(error, tuple(read_emf(done.stdout)))


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
