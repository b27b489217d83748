"""Writes bare handlers: JSON parsed, the recorded calls made, the recorded answer given, a line logged.

No Powertools, no settings, no validation, no configured clients: what one would write in a first try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .inside.identity import IDENTITY

Event = dict[str, Any]

SOURCE = '''\
"""Makes the calls to AWS that the real handler makes, and nothing else."""

import json
import os

import boto3

session = boto3.session.Session()
clients = {{name: session.client(name) for name in {services}}}


def handler(event, context):
{body}
    print("done")  # The local AWS waits 50 ms for the log of an invocation that writes none.
    return {answer}
'''
EACH_RECORD = """\
    for record in event["Records"]:
        body = json.loads(record["body"])
"""


def source_of(recorded: Mapping[str, Any], event: Event) -> str:
    """The bare handler that makes the `recorded` calls, with the values of the event that it gets."""
    values = {marker: f"os.environ[{name!r}]" for name, marker in recorded["variables"].items()}
    if records := event.get("Records"):
        # The calls for the sample's first record, for each record. Other records than a queue's have no body.
        if "body" not in records[0]:
            body, margin = '    for record in event["Records"]:\n', " " * 8
        else:
            values |= identities(parsed(records[0]["body"]), "body")
            body, margin = EACH_RECORD, " " * 8
        calls = recorded["calls"][: len(recorded["calls"]) // len(records) or 1]
    else:
        body, margin = "", " " * 4
        calls = recorded["calls"]
        if "body" in event:
            body = '    body = json.loads(event["body"] or "{}")\n'
            values |= identities(parsed(event["body"]), "body")
            if headers := {name.lower(): value for name, value in (event.get("headers") or {}).items()}:
                body += '    headers = {name.lower(): value for name, value in event["headers"].items()}\n'
                values |= identities(headers, "headers")
            values |= identities(event.get("pathParameters") or {}, 'event["pathParameters"]')
        else:
            values |= identities(event, "event")
    for call in calls:
        params = ", ".join(f"{name}={expression(value, values)}" for name, value in call["params"].items())
        body += f"{margin}clients[{call['service']!r}].{call['operation']}({params})\n"
    return SOURCE.format(
        services=sorted(recorded["services"]),
        body=body.rstrip("\n") or "    pass",
        answer=expression(recorded["answer"], {} if event.get("Records") else values),
    )


def identities(fields: Any, name: str) -> dict[str, str]:
    """The values that tell one request from another, and the Python that reads each from the event."""
    if not isinstance(fields, dict):
        return {}
    return {
        value: f"{name}[{key!r}]" for key, value in fields.items() if isinstance(value, str) and IDENTITY.search(key)
    }


def expression(value: Any, values: Mapping[str, str]) -> str:
    """Python for a recorded value, in which each of `values` is read anew."""
    match value:
        case dict():
            items = (f"{key!r}: {expression(item, values)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(expression(item, values) for item in value)}]"
        case str() if found := [text for text in values if text and text in value]:
            found.sort(key=len, reverse=True)
            parts = re.split(f"({'|'.join(map(re.escape, found))})", value)
            return " + ".join(values.get(part) or repr(part) for part in parts if part)
    return repr(value)


def parsed(body: Any) -> Any:
    """A body that is JSON, or nothing."""
    try:
        return json.loads(body or "{}")
    except (TypeError, ValueError):
        return {}
