"""Prints what `make budget` finds out about each function: size, and imports against a bare script."""

from __future__ import annotations

import json
import sys

from toolkit.commands.budget import imports, packed_size
from toolkit.stacks import PROJECT
from toolkit.template import functions

ROUNDS = int(sys.argv[1])
found = {}
for name, function in functions().items():
    rounds = [imports(function) for _ in range(ROUNDS)]
    found[name] = {
        "ratios": [ratio for ratio, _ in rounds],
        "modules": rounds[0][1],
        "megabytes": packed_size(PROJECT / ".aws-sam" / "build" / name) / 1e6,
    }
print(json.dumps(found))
