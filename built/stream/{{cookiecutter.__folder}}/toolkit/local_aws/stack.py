"""Starts the local AWS, and builds and deploys the shipped template onto it."""

import fcntl
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import boto3

from toolkit.isolation import (
    PROXIES,
    SETTINGS,
    for_installing,
    isolated,
    no_proxy,
    refuse_all_but_loopback,
)
from toolkit.stacks import PROJECT, outputs, region_of, settings_of

# Environments of their own, since ministack and the SAM CLI pin what they need.
VENV = os.environ.get("VENV", str(PROJECT / ".venv"))
LOCAL_AWS_PYTHON = PROJECT / f"{VENV}-local-aws" / "bin" / "python"
SAM = PROJECT / f"{VENV}-sam" / "bin" / "sam"

Fault = Literal[
    "throttle",
    "conflict",
    "error before",
    "error after",
    "error late",
    "silence before",
    "silence after",
    "crash before",
    "crash after",
    "crash late",
    "freeze before",
    "freeze after",
]


class LocalAwsError(Exception):
    """The local AWS cannot do what was asked; the message says what is missing."""


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS."""

    endpoint: str
    ca: str
    region: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What any AWS tool needs in its environment to talk to it."""
        return {
            **SETTINGS,
            "AWS_CA_BUNDLE": self.ca,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "SAM_CLI_TELEMETRY": "0",
            **no_proxy(os.environ),
        }

    def end_of_log(self) -> str:
        """The last lines that the local AWS itself has logged."""
        return self.log.read_text("utf-8", errors="replace")[-4_000:]

    def client(self, service: str) -> Any:
        """A boto3 client with an administrator's rights."""
        # boto3's types know services by their literal names only.
        with isolated():
            return self.session.client(service, endpoint_url=self.endpoint, verify=self.ca)  # type: ignore[call-overload]

    @cached_property
    def session(self) -> boto3.session.Session:
        """An administrator's session; only one, because each session reads the services' models."""
        with isolated():  # It reads files and a profile at once.
            session = boto3.session.Session("test", "test", region_name=self.region)
        session.events.register("before-send", refuse_all_but_loopback)
        return session

    def fail(
        self, operation: str | None, fault: Fault, times: int = 1, function: str | None = None
    ) -> None:
        """Let the next calls of functions, or of one, go wrong; see `faults.py`.

        Args:
            operation: the X-Amz-Target of the calls that are meant; None for any call.
            fault: what happens to each of them.
            times: how many.
            function: the name of the function that makes them; None for any.
        """
        self._faults("POST", operation=operation, fault=fault, times=times, function=function)

    def end_faults(self) -> dict[Fault, int]:
        """From now on nothing goes wrong any more; how often each fault has come."""
        came: dict[Fault, int] = self._faults("DELETE")
        return came

    def _faults(self, method: str, **plan: object) -> Any:
        request = urllib.request.Request(
            f"{self.endpoint}/_local_aws/faults", json.dumps(plan).encode(), method=method
        )
        tls = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(request, context=tls) as answer:
            return json.load(answer)

    def api_url(self, api_id: str) -> str:
        """Where a REST API of the stack answers."""
        return f"{self.endpoint}/restapis/{api_id}/v1/_user_request_"


@dataclass(frozen=True)
class Stack:
    """The deployed template."""

    aws: LocalAws
    name: str

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of template.yaml by name."""
        return outputs(self.aws.client("cloudformation"), self.name)


@contextmanager
def local_aws() -> Iterator[LocalAws]:
    """Run the local AWS on a free loopback port for the length of a `with` block."""
    for tool in (LOCAL_AWS_PYTHON, SAM):
        if not tool.exists():
            raise LocalAwsError(f"{tool} is missing: run `make tools` first")
    region = region_of("local")
    with (
        isolated(),
        tempfile.TemporaryDirectory(prefix="local-aws-", ignore_cleanup_errors=True) as files,
    ):
        log = Path(files, "server.log")
        with log.open("w", encoding="utf-8") as errors:
            server = subprocess.Popen(
                [LOCAL_AWS_PYTHON, "-m", "toolkit.local_aws.server"],
                cwd=PROJECT,
                # Nothing of this machine's AWS settings may reach it.
                env={
                    "PATH": os.environ["PATH"],
                    "TMPDIR": files,
                    "AWS_REGION": region,
                    "PYTHONUTF8": "1",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
            )
        assert server.stdin
        assert server.stdout
        try:
            first_line = server.stdout.readline()
            if not first_line:
                raise LocalAwsError(
                    f"the local AWS did not start:\n{log.read_text('utf-8')[-2_000:]}"
                )
            yield LocalAws(**json.loads(first_line), region=region, log=log)
        finally:
            server.stdin.close()
            server.stdout.close()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def deploy(aws: LocalAws, test_run: str = "") -> Stack:
    """`sam build` and `sam deploy` with the `local` section of samconfig.toml.

    Args:
        aws: where to.
        test_run: what the workers of a test run have in common; one of them builds.
    """
    _build(aws, test_run)
    # It uses the local AWS only. Requests to any other address fail: nothing listens on port 9.
    _sam("deploy", aws, **dict.fromkeys(PROXIES, "http://127.0.0.1:9"))
    return Stack(aws, settings_of("local")["global"]["parameters"]["stack_name"])


def _build(aws: LocalAws, test_run: str) -> None:
    """`sam build`, by one process at a time."""
    lock = PROJECT / ".aws-sam" / "local.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if test_run and file.read() == test_run:
            return
        _sam("build", aws, **for_installing(os.environ), LAMBDA=f"--python {LOCAL_AWS_PYTHON}")
        file.truncate(0)
        file.write(test_run)


def _sam(command: str, aws: LocalAws, **extra: str) -> None:
    done = subprocess.run(
        [SAM, command, "--config-env", "local"],
        cwd=PROJECT,
        env={
            "HOME": os.environ.get("HOME", "/"),
            # `sam build` runs uv, which is beside our Python.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            # It leaves folders behind, which then go with the local AWS.
            "TMPDIR": str(Path(aws.ca).parent),
            "PYTHONUTF8": "1",
            "SAM_CLI_POLL_DELAY": "0.1",  # Seconds; 5 is for AWS.
            **aws.environment,
            **extra,
        },
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise LocalAwsError(f"sam {command} failed:\n{done.stdout[-4_000:]}")
