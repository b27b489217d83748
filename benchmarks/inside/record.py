"""Prints the calls to AWS that a function makes for its sample event, and what it answers."""

import importlib
import json
import os
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient
from scripts.shipped import clients_of, functions
from stubbed import CONTEXT, answer_every_call, on_lambda

name, event = sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))
function = functions()[name]
calls: list[dict[str, Any]] = []
make_call = BaseClient._make_api_call


def recorded(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
    """Make a call, and remember it as it was asked for: botocore adds to what it gets."""
    service = client.meta.service_model.service_name
    calls.append({"service": service, "operation": xform_name(operation), "params": deepcopy(params)})
    return make_call(client, operation, params)


BaseClient._make_api_call = recorded
answer_every_call()
variables = on_lambda(function)
# Logs go to standard output, which is for the recording.
standard_output = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
answer = importlib.import_module(function["Handler"].rpartition(".")[0]).handler(event, CONTEXT)
recording = {
    "services": sorted(clients_of(function)),
    "variables": variables,
    "calls": calls,
    "answer": answer,
}
os.write(standard_output, json.dumps(recording).encode())
