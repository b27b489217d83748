"""Holds each function to its budget: its package's size, what its start imports, its role's rights.

The budgets are in pyproject.toml. Import time is a ratio: the handler's against that of a bare
script which makes the same AWS clients, in turn on the same machine.
"""

import os
import subprocess
import sys
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path

from scripts.shipped import Resource, clients_of, functions, stand_ins, statements
from scripts.stacks import PROJECT

RUNS = 7
MEASURE = """
import sys, time
start = time.perf_counter()
{code}
print(time.perf_counter() - start, len(sys.modules))
"""


def main() -> None:
    """Entry point of `make budget`: prints a table, and fails if a function is over its budget."""
    budget = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["budget"]
    print(f"{'function':<20} {'package MB':>10} {'import':>9} {'modules':>8} {'statements':>10}")
    over = []
    for name, function in functions().items():
        ratio, modules = imports(function)
        found = {
            "package_megabytes": packed_size(PROJECT / ".aws-sam" / "build" / name) / 1e6,
            "import_ratio": ratio,
            "modules": modules,
            "statements": len(statements(function)),
        }
        print(
            f"{name:<20} {found['package_megabytes']:>10.2f} {ratio:>8.2f}x {modules:>8}"
            f" {found['statements']:>10}"
        )
        over += [
            f"{name}: {what} is {value:.2f}, more than {budget[what]}"
            for what, value in found.items()
            if value > budget[what]
        ]
    print(f"{'budget':<20} {budget['package_megabytes']:>10} {budget['import_ratio']:>8}x", end=" ")
    print(f"{budget['modules']:>8} {budget['statements']:>10}")
    if over:
        sys.exit("\n".join(["", *over, "Find out why, or raise [tool.budget] in pyproject.toml."]))


def packed_size(folder: Path) -> int:
    """Bytes of the package as it is uploaded."""
    if not folder.is_dir():
        sys.exit(f"{folder} is missing: run `make build` first")
    package = BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return len(package.getvalue())


def imports(function: Resource) -> tuple[float, int]:
    """Import time of a handler relative to the bare script, and modules it loads beyond those."""
    bare = "import boto3\nsession = boto3.session.Session()\n" + "\n".join(
        f"session.client({service!r})" for service in sorted(clients_of(function))
    )
    handler = f"import {function['Handler'].rpartition('.')[0]}"
    # In turn, so that a busy moment hits both; the quickest run is the least disturbed.
    pairs = [(run(handler, function), run(bare, function)) for _ in range(RUNS)]
    ratio = min(mine for (mine, _), _ in pairs) / min(theirs for _, (theirs, _) in pairs)
    (_, modules), (_, bare_modules) = pairs[0]
    return ratio, modules - bare_modules


def run(code: str, function: Resource) -> tuple[float, int]:
    """Seconds that some code takes in a new Python, and how many modules are loaded after it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(code=code)],
        env={
            **stand_ins(function),
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # Tracing looks for these to know that it is on Lambda.
            "AWS_LAMBDA_FUNCTION_NAME": "budget",
            "LAMBDA_TASK_ROOT": "/var/task",
            "PATH": os.environ["PATH"],
            "POWERTOOLS_METRICS_NAMESPACE": "budget",
            "POWERTOOLS_SERVICE_NAME": "budget",
            "PYTHONPATH": str(PROJECT / "src"),
        },
        text=True,
        capture_output=True,
        check=True,
    )
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)


if __name__ == "__main__":
    main()
