"""The pytest plugin of this project: fixtures for each kind of test.

No test sees the caller's AWS settings, except smoke tests while they run.
toolkit/README.md lists the fixtures.
"""

import os

from toolkit.isolation import without_aws_settings

# Before anything imports boto3, which reads settings and keys from the environment.
CALLERS_ENVIRONMENT = dict(os.environ)
os.environ.clear()
os.environ |= without_aws_settings(CALLERS_ENVIRONMENT) | {
    "POWERTOOLS_METRICS_NAMESPACE": "test",
    "POWERTOOLS_SERVICE_NAME": "test",
}

# ruff: noqa: E402
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import boto3
import pytest
import pytest_socket
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from botocore.validate import validate_parameters
from hypothesis import settings

from toolkit.exceptions import expect_to_fail
from toolkit.local_aws.stack import LocalAws, Stack, deploy, local_aws
from toolkit.runtime.observability import logger, metrics, tracer, version_metrics
from toolkit.stacks import in_words, outputs_of, region_of

# The time an example takes depends on the machine, not on the code.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")

Value = TypeVar("Value")
Lines = Callable[[], list[dict[str, Any]]]
AwsAnswers = Callable[[dict[str, list[dict[str, Any]]]], list[tuple[str, dict[str, Any]]]]
Measured = Callable[[], dict[str, float]]
Trace = dict[str, dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Apply the exceptions that pyproject.toml states."""
    expect_to_fail(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed end-to-end test shows the end of the local AWS's log."""
    report = yield
    running = getattr(item, "funcargs", {}).get("aws")
    if report.failed and isinstance(running, LocalAws):
        report.sections.append(("Log of the local AWS", running.end_of_log()))
    return report


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that opens a socket fails."""
    if not is_in("unit", request):
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A local AWS, the same for all end-to-end tests."""
    with local_aws() as running:
        yield running


@pytest.fixture(scope="session")
def stack(aws: LocalAws, testrun_uid: str) -> Stack:
    """template.yaml on the local AWS. `testrun_uid` is pytest-xdist's: the same for all workers."""
    return deploy(aws, testrun_uid)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Value]], Value]:
    """Ask again until the answer is true; fail with the last answer after a generous while."""

    def ask(question: Callable[[], Value]) -> Value:
        deadline = time.monotonic() + 60
        while not (answer := question()):
            assert time.monotonic() < deadline, f"still {answer!r} after a minute"
            time.sleep(0.05)
        return answer

    return ask


def is_in(folder: str, request: pytest.FixtureRequest) -> bool:
    """Whether a test is in that folder of `tests`."""
    return request.path.is_relative_to(request.config.rootpath / "tests" / folder)


@pytest.fixture(scope="module", autouse=True)
def callers_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """Gives smoke tests the caller's AWS settings."""
    if not is_in("smoke", request):
        yield
        return
    # boto3 keeps the session that it made first.
    with (
        patch.dict(os.environ, CALLERS_ENVIRONMENT, clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
    ):
        yield


@pytest.fixture(scope="module")
def region(callers_environment: None) -> str:
    """The region of the deployed stack that ENV names."""
    return region_of(os.environ["ENV"])


@pytest.fixture(scope="module")
def outputs(callers_environment: None) -> dict[str, str]:
    """The outputs of the deployed stack that ENV names."""
    try:
        return outputs_of(os.environ["ENV"])
    except (BotoCoreError, ClientError) as error:
        pytest.exit(in_words(error), returncode=1)


@pytest.fixture
def aws_answers(monkeypatch: pytest.MonkeyPatch) -> AwsAnswers:
    """Answers calls of boto3, and keeps what they asked; both are held against AWS's own model.

    An operation answers once with each of its answers, and again and again with the last one.
    """

    def answer(operations: dict[str, list[dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
        asked: list[tuple[str, dict[str, Any]]] = []

        def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            model = client.meta.service_model.operation_model(operation)
            answers = operations[operation]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            for value, shape in ((parameters, model.input_shape), (found, model.output_shape)):
                validate_parameters(value, shape)
            asked.append((operation, parameters))
            return found

        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return asked

    return answer


class LambdaContext:
    """The context object that Lambda passes to a handler."""

    function_name = "function"
    function_version = "1"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:function:live"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def context() -> LambdaContext:
    return LambdaContext()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What was logged so far, at every level."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    level = logger.log_level
    logger.setLevel("DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.setLevel(level)


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Measured:
    """The sum of each metric that was written since the last look, as CloudWatch reads them."""
    metrics.clear_metrics()
    return lambda: _sums(capsys, by_version=False)


@pytest.fixture
def measured_by_version(capsys: pytest.CaptureFixture[str]) -> Measured:
    """The same of what is counted for alarms, by function and version."""
    version_metrics.clear_metrics()
    return lambda: _sums(capsys, by_version=True)


def _sums(capsys: pytest.CaptureFixture[str], *, by_version: bool) -> dict[str, float]:
    sums: Counter[str] = Counter()
    for document in map(json.loads, capsys.readouterr().out.splitlines()):
        if ("ExecutedVersion" in document) is by_version:
            for directive in document["_aws"]["CloudWatchMetrics"]:
                for metric in directive["Metrics"]:
                    sums[metric["Name"]] += sum(document[metric["Name"]])
    return dict(sums)


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """The sub-segments so far, by name, and what X-Ray would store as the metadata of each."""
    xray = XRay()
    monkeypatch.setattr(tracer, "provider", xray)
    return xray.trace


class XRay:
    """Takes the place of X-Ray's recorder."""

    def __init__(self) -> None:
        self.trace: Trace = {}

    @contextmanager
    def in_subsegment(self, name: str) -> Iterator["Subsegment"]:
        yield Subsegment(self.trace.setdefault(name, {}))


class Subsegment:
    """A part of a trace."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata

    def put_metadata(self, key: str, value: Any, **_: str) -> None:
        self.metadata[key] = value

    def put_annotation(self, key: str, value: Any) -> None:
        """Annotations are Powertools' own: whether it was a cold start, and the service."""
