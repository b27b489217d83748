"""Invokes a handler with the event on standard input; prints its calls to AWS, the answers to them, and its own."""

from __future__ import annotations

import importlib
import json
import os
import sys
from copy import deepcopy
from typing import Any

from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session

from .stubbed import CONTEXT, on_lambda

calls: list[dict[str, Any]] = []
answers: list[dict[str, Any]] = []
make_call, send = BaseClient._make_api_call, URLLib3Session.send


def recorded(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
    """Make a call, and remember it as it was asked for: botocore adds to what it gets."""
    service = client.meta.service_model.service_name
    calls.append({"service": service, "operation": xform_name(operation), "params": deepcopy(params)})
    return make_call(client, operation, params)


def kept(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
    """Send a request, and remember the answer."""
    answer = send(session, request)
    answers.append({"status": answer.status_code, "headers": dict(answer.headers.items()), "body": answer.text})
    return answer


BaseClient._make_api_call, URLLib3Session.send = recorded, kept
event = json.load(sys.stdin)
on_lambda({})
# Logs go to standard output, which is for the recording.
standard_output = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
answer = importlib.import_module(sys.argv[1]).handler(event, CONTEXT)
os.write(standard_output, json.dumps({"calls": calls, "answers": answers, "answer": answer}).encode())
