"""Prints what each function does for its sample event on the local AWS: its calls, the answers to them, and its own.

Each is called twice, as two different requests: ids that differ without being the request's were made by the function.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from scripts.demo import example
from toolkit.local_aws.stack import Stack, deploy, local_aws
from toolkit.template import clients_of, functions

from .identity import MADE, new_run, renamed
from .rest import Api, NotMeasuredError
from .stacks import Event, hush, module, physical_id, samples

Recording = dict[str, Any]


def main() -> None:
    """Record every function."""
    with local_aws() as aws:
        stack = deploy(aws)
        hush(stack)
        example(stack)  # Whatever the example call needs, such as goods in stock.
        first, second = ({name: recorded(stack, name, run) for name in functions()} for run in (new_run(), new_run()))
    for name, recording in first.items():
        if "calls" in recording:
            recording["made"] = sorted(ids_in(recording) - ids_in(second[name]))
    print(json.dumps(first))


def ids_in(recording: Recording) -> set[str]:
    """What looks like an id in the calls and in the answer."""
    return set(MADE.findall(json.dumps([recording.get("calls"), recording.get("answer")])))


def recorded(stack: Stack, name: str, run: str) -> Recording:
    """One call of a function, or the reason why there is none."""
    found: Recording = {"module": module(name)}
    sample = samples().get(name)
    if sample is None:
        return found | {"reason": "it has no sample event in events/"}
    try:
        event = Api(stack, samples().values()).ready(sample, run) if "httpMethod" in sample else renamed(sample, run)
        variables = variables_of(stack, name)
        found |= invoked(stack, name, event, variables)
        refuse(found)
    except NotMeasuredError as error:
        return {"module": module(name), "reason": str(error)}
    # What is named after the stack has another name in the twin.
    own = {variable: value for variable, value in variables.items() if stack.name in value}
    services = sorted(clients_of(functions()[name]))
    return found | {"event": event, "environment": variables, "variables": own, "services": services}


def variables_of(stack: Stack, name: str) -> dict[str, str]:
    """The environment variables of a deployed function."""
    awslambda = stack.aws.client("lambda")
    found = awslambda.get_function_configuration(FunctionName=physical_id(stack, name))
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables


def invoked(stack: Stack, name: str, event: Event, variables: dict[str, str]) -> Recording:
    """What a function does in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.inside.invoke", module(name)],
        input=json.dumps(event),
        env=os.environ | variables | stack.aws.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise NotMeasuredError(f"its sample event raises {(done.stderr.strip() or 'an error').splitlines()[-1]}")
    recording: Recording = json.loads(done.stdout)
    return recording


def refuse(found: Recording) -> None:
    """Let nothing pass for the usual way that is not."""
    answer = found["answer"] if isinstance(found["answer"], dict) else {}
    if answer.get("statusCode", 200) >= 400:  # noqa: PLR2004
        raise NotMeasuredError(f"its sample event is answered {answer['statusCode']}")
    if answer.get("batchItemFailures"):
        raise NotMeasuredError("it fails for its sample event")
    if refused := [found["calls"][0]["operation"] for answer in found["answers"] if answer["status"] >= 400]:  # noqa: PLR2004
        raise NotMeasuredError(f"a call that it makes is refused, such as {refused[0]}; a bare handler would fail")


main()
