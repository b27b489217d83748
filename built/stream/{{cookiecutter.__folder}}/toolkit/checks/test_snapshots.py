"""Functions can start from a snapshot of their initialized state: Lambda SnapStart.

docs.aws.amazon.com/lambda/latest/dg/snapstart.html and snapstart-uniqueness.html
"""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from toolkit.checks.invocations import variables_of
from toolkit.stacks import PROJECT
from toolkit.template import ENVIRONMENTS, functions, resolve

NAMES = sorted(functions())
# Megabytes of /tmp that SnapStart allows, which is also what a function has by default.
LARGEST_STORAGE = 512
OLDEST_PYTHON = (3, 12)

# Imports each handler in a fork, and writes down what its own code does on the way that a snapshot
# must not hold. What libraries do while they are imported is left out.
_IMPORT_ALL = """
import importlib, json, os, random, secrets, socket, sys, time, uuid
import boto3
import aws_lambda_powertools.logging, aws_lambda_powertools.metrics, aws_lambda_powertools.tracing

def called_by_project():
    frame = sys._getframe(2)
    while frame and 'importlib' not in frame.f_code.co_filename:
        if frame.f_code.co_filename.startswith(tuple(json.loads(sys.argv[1]))):
            return True
        frame = frame.f_back
    return False

def watch(module, name):
    original = getattr(module, name)
    def watched(*arguments, **named):
        if called_by_project():
            found.append(f'{module.__name__}.{name}')
        return original(*arguments, **named)
    setattr(module, name, watched)

found = []
for module, names in (
    (os, ['urandom']), (random, ['random', 'randint', 'choice']), (socket.socket, ['connect']),
    (secrets, ['token_bytes', 'token_hex', 'token_urlsafe']),
    (time, ['time', 'time_ns']), (uuid, ['uuid1', 'uuid4']),
):
    for name in names:
        watch(module, name)
for line in sys.stdin:
    handler, variables = json.loads(line)
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.environ |= variables
        try:
            importlib.import_module(handler)
        except Exception as error:
            found.append(repr(error))
        os.write(writing, json.dumps(sorted(set(found))).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding='utf-8') as answer:
        print(answer.read(), flush=True)
    os.wait()
"""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", NAMES)
def test_snapstart_is_on_only_where_lambda_supports_it(name: str, environment: str) -> None:
    function = functions()[name]
    apply_on = resolve(function.get("SnapStart", {}).get("ApplyOn"), environment)
    if apply_on != "PublishedVersions":
        return

    version = tuple(map(int, function["Runtime"].removeprefix("python").split(".")))
    assert version >= OLDEST_PYTHON, "SnapStart needs Python 3.12 or later"
    assert resolve(function.get("ProvisionedConcurrencyConfig"), environment) is None, (
        f"{environment}: SnapStart and provisioned concurrency exclude each other. "
        "Set one of them to none in samconfig.toml."
    )
    storage = resolve(function.get("EphemeralStorage", {}).get("Size"), environment)
    assert int(storage or LARGEST_STORAGE) <= LARGEST_STORAGE
    assert "FileSystemConfigs" not in function


@pytest.mark.parametrize("name", NAMES)
def test_initialization_makes_nothing_unique_and_opens_no_connection(name: str) -> None:
    """All environments that start from a snapshot would share it: an id, a time, a connection.

    Make it in the handler.
    """
    assert _done_at_import()[name] == []


@cache
def _done_at_import() -> dict[str, list[str]]:
    """What each function's own code does on import, by the name of the function."""
    asked = []
    for name in NAMES:
        function = functions()[name]
        module = function["Handler"].rpartition(".")[0]
        asked.append(json.dumps([module, variables_of(function, "prod")]))
    own = [f"{PROJECT / 'src'}{os.sep}", f"{PROJECT / 'toolkit'}{os.sep}"]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, json.dumps(own)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": "src"},
        input="\n".join(asked),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return dict(zip(NAMES, map(json.loads, done.stdout.splitlines()), strict=True))
