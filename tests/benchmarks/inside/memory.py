"""Prints the most memory in MB that this process took for one batch of a stream, with AWS answered at once."""

from __future__ import annotations

import base64
import importlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from .identity import renamed
from .stubbed import CONTEXT, answer_every_call, on_lambda

# What ru_maxrss counts in: getrusage(2) of Linux.
KIBIBYTE = 1_024


def another(record: dict[str, Any], number: int) -> dict[str, Any]:
    """A record of another event, which came later."""
    event = json.loads(base64.b64decode(record["kinesis"]["data"]))
    shard, _, first = record["eventID"].partition(":")
    sequence_number = str(int(first) + number)
    data = base64.b64encode(json.dumps(renamed(event, str(number))).encode()).decode()
    kinesis = record["kinesis"] | {"data": data, "sequenceNumber": sequence_number}
    return record | {"kinesis": kinesis, "eventID": f"{shard}:{sequence_number}"}


recording, count = json.loads(Path(sys.argv[1]).read_text("utf-8")), int(sys.argv[2])
answer_every_call(recording["answers"])
on_lambda(recording["environment"])
standard_output = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
handler = importlib.import_module(recording["module"]).handler
[record] = recording["event"]["Records"]
answer = handler({"Records": [another(record, number) for number in range(count)]}, CONTEXT)
assert answer == {"batchItemFailures": []}
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE / 1e6
os.write(standard_output, json.dumps(megabytes).encode())
