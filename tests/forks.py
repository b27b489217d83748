"""Commands of this environment, run by `fork_server.py`: each in a process of its own that need not import again."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

COMMANDS = ("cookiecutter", "copier", "cruft", "serverless-templates")
MODULES = ("generator", "serverless_templates")
# Read when Python starts. A command with others needs a Python of its own.
READ_AT_START = ("LANG", "LC_", "PYTHON")


def can_run(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a fork does what a new process would do."""
    program, *arguments = command
    is_known = program in COMMANDS or (
        program == "python" and arguments[:1] == ["-m"] and arguments[1].partition(".")[0] in MODULES
    )
    return is_known and _read_at_start(environment) == _read_at_start(os.environ)


def run(
    command: Sequence[str], directory: object, environment: Mapping[str, str], given: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a directory (default: this one), and give it some input.

    Raises:
        RuntimeError: the server has ended.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as request,
        tempfile.TemporaryFile("w+", encoding="utf-8") as standard_input,
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        tempfile.TemporaryFile("w+", encoding="utf-8") as error,
    ):
        where = str(directory or Path.cwd())
        json.dump({"command": command, "directory": where, "environment": dict(environment)}, request)
        standard_input.write(given)
        for file in (request, standard_input):
            file.seek(0)
        exit_code, exit_code_of_command = os.pipe()
        files = [file.fileno() for file in (request, standard_input, output, error)]
        socket.send_fds(_server()[0], [b"1"], [*files, exit_code_of_command])
        os.close(exit_code_of_command)
        with os.fdopen(exit_code, encoding="utf-8") as pipe:
            ended = pipe.read()
        if not ended:
            raise RuntimeError(f"{command[0]} was not run: the fork server has ended")
        return subprocess.CompletedProcess(list(command), int(ended), _text(output), _text(error))


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


@cache
def _server() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """The server, and the socket that leads to it."""
    ours, theirs = socket.socketpair()
    # Without this folder in its path.
    command = [sys.executable, "-P", str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())]
    server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    theirs.close()
    return ours, server


def end() -> None:
    """End the server, if it was started."""
    if _server.cache_info().currsize:
        ours, server = _server()
        ours.close()
        server.wait()
