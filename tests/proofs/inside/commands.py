"""Runs each command of a project that talks to AWS, as a person with keys of their own, and looks at what it prints."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import botocore.session
from botocore.validate import validate_parameters
from toolkit.stacks import settings_of

if TYPE_CHECKING:
    from .rehearsal import Rehearsal

# Answers to what a command asks.
YES = r"printf 'y\ny\ny\ny\n' | "
# Run by the workflows, and so in every release.
IN_WORKFLOWS = {"apply", "build", "plan", "smoke"}
# Services that the local AWS lacks, by the name that AWS_ENDPOINT_URL_… has for each, and recorded answers.
ELSEWHERE = {
    "cost_explorer": ("ce", {"GetCostAndUsage"}),
    "xray": ("xray", {"GetTraceSummaries", "BatchGetTraces", "GetServiceGraph"}),
}
COSTS = {
    "ResultsByTime": [
        {
            "TimePeriod": {"Start": "2026-07-01", "End": "2026-07-15"},
            "Total": {},
            "Groups": [
                {"Keys": ["function$"], "Metrics": {"UnblendedCost": {"Amount": "0.75", "Unit": "USD"}}},
                {"Keys": ["function$Sample"], "Metrics": {"UnblendedCost": {"Amount": "1.25", "Unit": "USD"}}},
            ],
            "Estimated": True,
        }
    ],
}
# AWS Lambda Power Tuning, in place of the Serverless Application Repository's. It asks of its input what its authors'
# code asks: github.com/alexcasalboni/aws-lambda-power-tuning, lambda/initializer.js and lambda/utils.js. An ARN has
# seven parts; one with a version or an alias has eight.
ASKED = {
    "And": [
        {"Variable": "$.lambdaARN", "StringMatches": "arn:*:lambda:*:*:function:*"},
        {"Not": {"Variable": "$.lambdaARN", "StringMatches": "arn:*:lambda:*:*:function:*:*"}},
        {"Variable": "$.num", "NumericGreaterThanEquals": 5},
        {"Variable": "$.powerValues[0]", "NumericGreaterThanEquals": 128},
    ]
}
TUNED = {"power": "512", "cost": 0.00025, "duration": 40, "stateMachine": {"visualization": "https://example.com"}}
TUNING = {
    "StartAt": "Initializer",
    "States": {
        "Initializer": {"Type": "Choice", "Choices": [ASKED | {"Next": "Optimizer"}], "Default": "Refused"},
        "Refused": {"Type": "Fail", "Error": "Error", "Cause": "Invalid input"},
        "Optimizer": {"Type": "Pass", "Result": TUNED, "End": True},
    },
}
ANSWERS = {
    "GetCostAndUsage": COSTS,
    "GetTraceSummaries": {"TraceSummaries": [], "TracesProcessedCount": 0},
    "GetServiceGraph": {"Services": [], "ContainsOldGroupVersions": False},
    "BatchGetTraces": {"Traces": [], "UnprocessedTraceIds": []},
}


class CommandError(Exception):
    """A command prints something else than it has to."""


def run_all(rehearsal: Rehearsal, environment: str, person: Mapping[str, str]) -> list[str]:
    """Each command of the Makefile's section on deployed stacks, once; those that were run.

    Raises:
        CommandError: a command is not known here, or prints something else than it has to.
    """
    offered = offered_by(rehearsal.repository / "toolkit/Makefile")
    commands: dict[str, Callable[[Operator], None]] = {
        "logs": logs,
        "cost": cost,
        "deploy": deploy,
        "dead-letters": dead_letters,
        "parked": parked,
        "secret": secret,
        "failures": failures,
        "power-tuning": power_tuning,
        "adopt": adopt,
        # The last: afterwards there is no stack.
        "remove": remove,
    }
    # Run together with another.
    together = {
        "redrive": "dead-letters",
        "discard": "dead-letters",
        "resume": "parked",
        "replay-failures": "failures",
        "discard-failure": "failures",
    }
    if unknown := offered - commands.keys() - together.keys() - IN_WORKFLOWS:
        raise CommandError(f"no rehearsal runs make {', make '.join(sorted(unknown))}")
    with elsewhere() as endpoints:
        operator = Operator(rehearsal, environment, {**person, **endpoints})
        for name, run in commands.items():
            if name in offered:
                run(operator)
    return sorted(offered - IN_WORKFLOWS)


def offered_by(makefile: Path) -> set[str]:
    """The targets of a project's Makefile that are about a deployed stack."""
    section = re.split(r"(?m)^## ", makefile.read_text("utf-8"))
    [deployed] = [text for text in section if text.startswith("A deployed stack")]
    return set(re.findall(r"(?m)^([a-z-]+):.*## ", deployed))


class Operator:
    """Somebody with keys of their own, at one environment."""

    def __init__(self, rehearsal: Rehearsal, environment: str, variables: Mapping[str, str]) -> None:
        self.rehearsal, self.environment, self.variables = rehearsal, environment, variables

    def make(self, command: str, expected: str, *, before: str = "", good: bool | None = True) -> str:
        """Run a command, and find something in what it prints."""
        text = f"{before}make {command} ENV={self.environment}"
        said = self.rehearsal.shell(text, self.variables, good=good)
        if not re.search(expected, said):
            raise CommandError(f"{text} does not print {expected!r}:\n{said[-3_000:]}")
        return said

    def until(self, command: str, expected: str) -> str:
        """Run a command until it prints something, as a person would who waits for it."""
        deadline = time.monotonic() + 120
        while True:
            try:
                return self.make(command, expected)
            except CommandError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack puts out."""
        found = self.rehearsal.stack(self.environment)["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in found}


def logs(operator: Operator) -> None:
    """`make logs` follows until Ctrl-C."""
    operator.make("logs", r'"[A-Za-z_]+": ', before="timeout --signal INT 12 ", good=None)


def cost(operator: Operator) -> None:
    """`make cost` adds up what Cost Explorer answers."""
    operator.make("cost", r"Sample +1\.25 USD\nin all +2\.00 USD")


def deploy(operator: Operator) -> None:
    """`make deploy` shows changes, asks and applies them."""
    operator.rehearsal.another_retention()
    operator.make("deploy", "UPDATE_COMPLETE", before=YES)
    operator.rehearsal.undo()


def dead_letters(operator: Operator) -> None:
    """A message that nobody can read becomes a dead letter, is sent back, comes again, and is thrown away."""
    [name] = [name for name in operator.outputs if name.endswith("DeadLetterQueueUrl")]
    queue = operator.outputs[name.removesuffix("DeadLetterQueueUrl") + "QueueUrl"]
    operator.rehearsal.aws.client("sqs").send_message(QueueUrl=queue, MessageBody="not what the worker reads")
    operator.until("dead-letters", r"(?m)^1 in ")
    operator.make("redrive", r"(?m)^1 sent back to ")
    listed = operator.until("dead-letters", r"(?m)^1 in ")
    [message] = re.findall(r"(?m)^([0-9a-f-]{36})$", listed)
    operator.make(f"discard MESSAGE={message}", "")
    operator.make("dead-letters", r"(?m)^0 in ")
    operator.make("discard MESSAGE=unknown", "is in none of the dead-letter queues", good=False)


def parked(operator: Operator) -> None:
    """Nothing is parked, so nothing can go on; that a parked case does is for the project's own tests."""
    operator.make("parked", r"(?m)^0 in ")
    operator.make("resume KEY=unknown", "is not parked", good=False)


def secret(operator: Operator) -> None:
    """A value comes from standard input and is not shown; with a second one, the first is valid for a while."""
    first, second = (f"whsec_{letter * 40}" for letter in "AB")
    said = operator.make("secret", "still valid: 0", before=f"echo {first} | ")
    said += operator.make("secret OVERLAP=2", "still valid: 1", before=f"echo {second} | ")
    said += operator.make("secret", "Nothing was changed", before="echo unusable | ", good=False)
    if any(value in said for value in (first, second, "unusable")):
        raise CommandError(f"make secret shows the secret:\n{said}")


def failures(operator: Operator) -> None:
    """What a broken release left is replayed; a record that nobody can read comes again, and is thrown away."""
    operator.rehearsal.aws.client("kinesis").put_record(
        StreamName=operator.outputs["StreamName"], PartitionKey="any", Data=b"not what the function reads"
    )
    operator.until("failures", "not what the function reads")
    operator.make("replay-failures", r"(?m)^2 put back on ")
    listed = operator.until("failures", r"(?m)^1 in ")
    [key] = re.findall(r"(?m)^(records/\S+)$", listed)
    operator.make(f"discard-failure KEY={key}", "")
    operator.make("failures", r"(?m)^0 in ")
    operator.make("discard-failure KEY=unknown", "is not in", good=False)


def power_tuning(operator: Operator) -> None:
    """What `make power-tuning` runs once its application is there: that comes from AWS alone."""
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": json.dumps(TUNING), "RoleArn": "arn:aws:iam::123456789012:role/tuning"},
    }
    template = {"Resources": {"Tuning": machine}, "Outputs": {"StateMachine": {"Value": {"Ref": "Tuning"}}}}
    cloudformation = operator.rehearsal.aws.client("cloudformation")
    name = settings_of("power-tuning")["global"]["parameters"]["stack_name"]
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    [function, *_] = operator.rehearsal.resources(operator.environment, "AWS::Lambda::Function")
    stack = operator.rehearsal.stack(operator.environment)["StackName"]
    text = (
        f"python -m toolkit power-tuning --env {operator.environment} --function {function.removeprefix(f'{stack}-')}"
    )
    said = operator.rehearsal.shell(text, operator.variables)
    if "512 MB: $250.00 and 40 ms per call" not in said:
        raise CommandError(f"{text} prints:\n{said}")


def adopt(operator: Operator) -> None:
    """Nothing was removed, so nothing can be brought back; a project's own tests do that."""
    operator.make('adopt RESOURCES="Unknown=unknown"', "Unknown", good=False)


def remove(operator: Operator) -> None:
    """`make remove` asks, and deletes the stack."""
    operator.make("remove", "", before=YES)
    if operator.rehearsal.exists(operator.environment):
        raise CommandError(f"make remove ENV={operator.environment} leaves the stack as it was")


@contextmanager
def elsewhere() -> Iterator[dict[str, str]]:
    """Environment variables that lead to the services that the local AWS lacks."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {f"AWS_ENDPOINT_URL_{name.upper()}": f"http://127.0.0.1:{server.server_port}" for name in ELSEWHERE}
    finally:
        server.shutdown()


class _Elsewhere(BaseHTTPRequestHandler):
    """Holds a request against AWS's own model of the service, and answers what is recorded."""

    def do_GET(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        operation, in_path = _operation(self.headers.get("X-Amz-Target", ""), unquote(self.path))
        shape = operation.input_shape
        members = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        asked = {members.get(name, name): value for name, value in (body | in_path).items()}
        problems = [] if "AWS4-HMAC-SHA256" in self.headers.get("Authorization", "") else ["it is not signed"]
        problems += _problems(shape, asked)
        answer = {"message": "; ".join(problems)} if problems else ANSWERS[operation.name]
        data = json.dumps(answer).encode()
        self.send_response(400 if problems else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _operation(target: str, path: str) -> tuple[Any, dict[str, str]]:
    """What is asked for, and what its path says."""
    session = botocore.session.get_session()
    for service, operations in ELSEWHERE.values():
        model = session.get_service_model(service)
        for operation in map(model.operation_model, sorted(operations)):
            if target:
                if target.endswith(f".{operation.name}"):
                    return operation, {}
            elif found := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>.+?)", operation.http["requestUri"]), path):
                return operation, found.groupdict()
    raise ValueError(f"{target or path} is no request that is known here")


def _problems(shape: Any, value: Any) -> Iterator[str]:
    """What AWS would refuse: what botocore tells, and what only the service does."""
    try:
        validate_parameters(value, shape)
    except Exception as error:
        yield str(error)
        return
    yield from _values(shape, value, shape.name)


def _values(shape: Any, value: Any, where: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from _values(shape.members[name], one, f"{where}.{name}")
    elif shape.type_name == "list":
        for one in value:
            yield from _values(shape.member, one, where)
    elif shape.type_name == "string":
        pattern, longest = shape.metadata.get("pattern"), shape.metadata.get("max")
        if shape.enum and value not in shape.enum:
            yield f"{where}: {value} is none of {', '.join(shape.enum)}"
        if (pattern and not re.search(pattern, value)) or (longest and len(value) > longest):
            yield f"{where}: {value} does not match {pattern} of at most {longest}"
