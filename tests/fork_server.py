"""Runs commands as forks of this process, which has imported what they import: that is most of the time they take.

Started by `forks.py`, apart from pytest. Each message on the socket that the argument names brings five files: the
request, in JSON {"command": […], "directory": …, "environment": {…}}; the standard input, output and error; and where
the exit code goes.
"""

import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from importlib.metadata import entry_points

# What the engines and our command line depend on. Not themselves, nor plumbum: they read the environment on import.
DEPENDENCIES = (
    "jinja2.ext",
    "jinja2.sandbox",
    "packaging.version",
    "pathspec",
    "platformdirs",
    "pydantic.dataclasses",
    "questionary",
    "requests",
    "rich.console",
    "rich.markup",
    "rich.prompt",
    "rich.table",
    "slugify",
    "typer",
    "yaml",
)


def main() -> None:
    """Run commands until pytest ends."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    for name in DEPENDENCIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, *_ = socket.recv_fds(requests, 1, 5)
        if not message:
            return
        if not os.fork():
            requests.close()
            run(*files)
        for file in files:
            os.close(file)


def run(request_file: int, standard_input: int, output: int, error: int, exit_code: int) -> None:
    """Run a request in a fork of its own, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process:
        _, status = os.waitpid(process, 0)
        os.write(exit_code, str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    os.close(exit_code)
    with os.fdopen(request_file, encoding="utf-8") as file:
        request = json.load(file)
    for number, standard in enumerate((standard_input, output, error)):
        os.dup2(standard, number)
        os.close(standard)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os._exit(exit_code_of(request["command"]))


def exit_code_of(command: list[str]) -> int:
    """Run a command of this environment, or `python -m MODULE`, in this process."""
    program, *arguments = command
    try:
        if program == "python":
            sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as Python does
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [program, *arguments]
            (entry_point,) = entry_points(group="console_scripts", name=program)
            sys.exit(entry_point.load()())
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # as Python does
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.flush()
    return 0


if __name__ == "__main__":
    main()
