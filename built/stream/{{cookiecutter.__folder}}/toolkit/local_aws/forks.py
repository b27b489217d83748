"""Starts functions as forks of a process that has the AWS SDK: that takes half of the time.

A script, not a module of ours: a function must not find here what it does not have on Lambda. Each
message on the socket that its argument names brings three files: the request, in JSON {"directory":
…, "environment": {…}}; where the function's output goes; and one that stays open as long as it
runs. The answer is the process id.
"""

import json
import os
import runpy
import signal
import socket
import sys
import time
import traceback

import boto3  # noqa: F401 - for the functions


def main() -> None:
    """Start functions until the local AWS ends."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody asks for exit codes.
    while True:
        message, files, *_ = socket.recv_fds(requests, 1, 3)
        if not message:
            return
        process = os.fork()
        if not process:
            requests.close()
            become_function(*files)
        for file in files:
            os.close(file)
        requests.sendall(f"{process}\n".encode())


def become_function(request_file: int, output: int, _: int) -> None:
    """Run the handler of the request's environment, as `python -m awslambdaric` does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with os.fdopen(request_file, encoding="utf-8") as file:
        request = json.load(file)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path.insert(0, request["directory"])
    sys.argv = ["awslambdaric", os.environ["_HANDLER"]]
    try:
        runpy.run_module("awslambdaric", run_name="__main__")
    except Exception:  # noqa: BLE001 - this process ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(1)  # The runtime client only ends with an error.


if __name__ == "__main__":
    main()
