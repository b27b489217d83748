"""Starts the functions' processes: forks of `forks.py`, or new ones."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

_server_lock = threading.Lock()


class Fork:
    """A fork, with what ministack uses of `subprocess.Popen`."""

    def __init__(self, pid: int, output: int, alive: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = os.fdopen(output, "rb")
        self._alive = alive
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, which is always 1; None as long as it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; for so many seconds, and then subprocess.TimeoutExpired."""
        with self._lock:
            if self.returncode is None:
                poller = select.poll()
                poller.register(self._alive, select.POLLIN)
                if not poller.poll(None if timeout is None else timeout * 1_000):
                    raise subprocess.TimeoutExpired("function", timeout or 0)
                os.close(self._alive)
                self.returncode = 1
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def start(command: list[str], cwd: str, env: dict[str, str], **how: Any) -> Any:
    """Start a function; in a new process when its package brings an AWS SDK of its own."""
    if Path(cwd, "boto3").exists():
        return subprocess.Popen(command, cwd=cwd, env=env, **how)
    output, output_of_function = os.pipe()
    alive, alive_in_function = os.pipe()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as request:
        json.dump({"directory": cwd, "environment": env}, request)
        request.seek(0)
        files = [request.fileno(), output_of_function, alive_in_function]
        with _server_lock:
            socket.send_fds(_server(), [b"1"], files)
            pid = int(_server().recv(32))
    os.close(output_of_function)
    os.close(alive_in_function)
    return Fork(pid, output, alive)


@cache
def _server() -> socket.socket:
    """Talks to `forks.py`, which ends with us."""
    ours, theirs = socket.socketpair()
    script = Path(__file__).with_name("forks.py")
    subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", script, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    return ours
