"""Writes bare handlers: JSON parsed, the recorded calls made, the recorded answer given, a line logged.

No Powertools, no settings, no validation, no configured clients: what one would write in a first try.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .inside.identity import IDENTITY

SOURCE = '''\
"""Makes the calls to AWS that the real handler makes, and nothing else."""

import json
import os
import uuid

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


def source_of(recorded: Mapping[str, Any]) -> str:
    """The bare handler that makes the `recorded` calls, with the values of the event that it gets."""
    event = recorded["event"]
    values = {value: f"os.environ[{name!r}]" for name, value in recorded["variables"].items()}
    calls = recorded["calls"]
    body, margin = "", " " * 4
    if records := event.get("Records"):
        # The calls for the sample's first record, for each record. Other records than a queue's have no body.
        margin = " " * 8
        calls = calls[: len(calls) // len(records) or 1]
        if "body" in records[0]:
            body = EACH_RECORD
            own = identities(parsed(records[0]["body"]), "body")
        else:
            body = '    for record in event["Records"]:\n'
            own = {}
    elif "body" in event:
        body = '    body = json.loads(event["body"] or "{}")\n'
        own = identities(parsed(event["body"]), "body")
        if headers := {name.lower(): value for name, value in (event.get("headers") or {}).items()}:
            body += '    headers = {name.lower(): value for name, value in event["headers"].items()}\n'
            own |= identities(headers, "headers")
        own |= identities(event.get("pathParameters"), 'event["pathParameters"]')
    else:
        own = identities(event, "event")
    for place, made in enumerate(sorted(set(recorded["made"]) - set(own))):
        new = "str(uuid.uuid4())" if "-" in made else "uuid.uuid4().hex"
        body += f"{margin}made_{place} = {new}\n"
        own[made] = f"made_{place}"
    for call in calls:
        params = ", ".join(f"{name}={expression(value, values | own)}" for name, value in call["params"].items())
        body += f"{margin}clients[{call['service']!r}].{call['operation']}({params})\n"
    return SOURCE.format(
        services=sorted(recorded["services"]),
        body=body.rstrip("\n") or "    pass",
        answer=expression(recorded["answer"], {} if records else values | own),
    )


def identities(fields: Any, name: str) -> dict[str, str]:
    """The values that tell one request from another, and the Python that reads each from the event."""
    found = {}
    for key, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(value, str) and IDENTITY.search(key):
            found[value] = f"{name}[{key!r}]"
        else:
            found |= identities(value, f"{name}[{key!r}]")
    return found


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
