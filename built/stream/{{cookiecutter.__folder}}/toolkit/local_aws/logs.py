"""Shows what the functions log, as it comes."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from toolkit.local_aws.stack import Stack

# Seconds between two looks.
PAUSE = 0.5
_RED, _YELLOW, _PLAIN = "\033[31m", "\033[33m", "\033[0m"
_COLOURS = {"CRITICAL": _RED, "ERROR": _RED, "WARNING": _YELLOW}
# What Lambda writes around each invocation.
_FRAME = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
# Of Powertools' fields, those that say nothing new here.
_LEFT_OUT = frozenset(
    {
        "cold_start",
        "exception",
        "exception_name",
        "function_arn",
        "function_memory_size",
        "function_name",
        "function_request_id",
        "level",
        "location",
        "message",
        "service",
        "stack_trace",
        "timestamp",
        "xray_trace_id",
    }
)


def follow(stack: Stack, stop: threading.Event) -> None:
    """Print what the stack's functions log from now on, until `stop` is set."""
    in_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    lines = Lines(stack)
    while not stop.wait(PAUSE):
        for function, text in lines.new():
            if line := shown(function, text, in_colour=in_colour):
                print(line, flush=True)


class Lines:
    """What the functions log, each line once."""

    def __init__(self, stack: Stack) -> None:
        self._logs = stack.aws.client("logs")
        self._prefix = f"/aws/lambda/{stack.name}-"
        self._since = int(time.time() * 1_000)
        self._seen: set[tuple[str, str, int, str]] = set()

    def new(self) -> Iterator[tuple[str, str]]:
        """Lines since the last look, each with the name of its function."""
        groups = self._logs.describe_log_groups(logGroupNamePrefix=self._prefix)["logGroups"]
        for name in (group["logGroupName"] for group in groups):
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, startTime=self._since
            )
            for event in (event for page in pages for event in page["events"]):
                # The local AWS gives its events no ids.
                key = (name, event["logStreamName"], event["timestamp"], event["message"])
                if key not in self._seen:
                    self._seen.add(key)
                    yield name.removeprefix(self._prefix), event["message"]


def shown(function: str, text: str, *, in_colour: bool = False) -> str:
    """A line of a log for people to read; empty for what they need not."""
    text = text.rstrip()
    try:
        fields: dict[str, Any] = json.loads(text)
        level, message = fields["level"], fields["message"]
    except (ValueError, TypeError, KeyError):
        if not text or text.startswith(_FRAME) or '"_aws"' in text:  # The last are metrics.
            return ""
        # A function that died, or that ran out of time, says so without a level.
        level = "ERROR" if "Task timed out" in text or "Error" in text else "INFO"
        message, fields = text, {}
    more = " ".join(f"{key}={value}" for key, value in fields.items() if key not in _LEFT_OUT)
    line = f"{function} {level} {message} {more}".rstrip()
    if exception := fields.get("exception"):
        line += f"\n{exception}"
    colour = _COLOURS.get(level, "") if in_colour else ""
    return f"{colour}{line}{_PLAIN}" if colour else line
