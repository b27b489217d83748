"""Holds each function to its budget: its package's size, what its start imports, its role's rights.

The budgets are in pyproject.toml. Import time is a ratio: the handler's against that of a bare
script which makes the same AWS clients, in turn on the same machine. What is over its budget is
reported with its largest parts: packages, imports, or statements.
"""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from toolkit.commands.runtimes import RUNTIMES
from toolkit.stacks import PROJECT
from toolkit.template import Resource, clients_of, functions, stand_ins, statements

RUNS = 7
# So many of what is largest are named.
NAMED = 5
MEASURE = """
import sys, time
start = time.perf_counter()
{code}
print(time.perf_counter() - start, len(sys.modules))
"""


def main() -> None:
    """Entry point of `make budget`: prints a table, and fails if a function is over its budget."""
    budget = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["budget"]
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
            f"{name}: {what} is {value:.3g}, more than {budget[what]}: {parts(what, name)}"
            for what, value in found.items()
            if value > budget[what]
        ]
    print(f"{'budget':<20} {budget['package_megabytes']:>10} {budget['import_ratio']:>8}x", end=" ")
    print(f"{budget['modules']:>8} {budget['statements']:>10}")
    foreign = {
        f"{name}: {wheel}"
        for name in functions()
        for wheel in not_loadable(
            PROJECT / ".aws-sam" / "build" / name, functions()[name]["Runtime"]
        )
    }
    if foreign:
        sys.exit("\n".join(["", "Lambda cannot load these wheels:", *sorted(foreign)]))
    if over:
        over.append("Find out why, or raise [tool.budget] in pyproject.toml.")
        over.append("To import `service` is to make its clients as well, as the bare script does.")
        sys.exit("\n".join(["", *over]))


def not_loadable(package: Path, runtime: str) -> list[str]:
    """Wheels in a package that the runtime's system or Python cannot load, by their tags."""
    python = "cp" + runtime.removeprefix("python").replace(".", "")
    found = []
    for wheel in sorted(package.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: (\S+)$", wheel.read_text("utf-8"), re.MULTILINE)
        if not any(_loads(tag, python, RUNTIMES[runtime].glibc) for tag in tags):
            found.append(f"{wheel.parent.name.removesuffix('.dist-info')} is for {', '.join(tags)}")
    return found


def _loads(tag: str, python: str, glibc: int) -> bool:
    """Whether a wheel's tag, like cp314-cp314-manylinux_2_17_aarch64, is one for Lambda."""
    interpreter, abi, platform = tag.split("-")
    if abi != "none" and abi != "abi3" and interpreter != python:
        return False
    if platform in ("any", "manylinux2014_aarch64"):
        return True
    older = re.fullmatch(r"manylinux_2_(\d+)_aarch64", platform)
    return older is not None and int(older[1]) <= glibc


def parts(what: str, name: str) -> str:
    """What takes most of one of a function's budgets, the largest first."""
    function = functions()[name]
    match what:
        case "package_megabytes":
            entries = (PROJECT / ".aws-sam" / "build" / name).iterdir()
            sizes = {path.name: packed_size(path) / 1e6 for path in entries}
            return largest(sizes, "MB")
        case "statements":
            return ", ".join(statement["Sid"] for statement in statements(function))
    mine, bare = (import_times(code, function) for code in codes(function))
    beyond = {package: times for package, times in mine.items() if package not in bare}
    if what == "modules":
        return largest({package: len(times) for package, times in beyond.items()}, "modules")
    return largest({package: sum(times) for package, times in beyond.items()}, "ms")


def largest(sizes: Mapping[str, float], unit: str) -> str:
    """The largest of some things, as text."""
    descending = sorted(sizes.items(), key=lambda item: item[1], reverse=True)
    return ", ".join(f"{name} {size:.3g} {unit}" for name, size in descending[:NAMED])


def packed_size(folder: Path) -> int:
    """Bytes of the package, or of a part of it, as it is uploaded."""
    if not folder.exists():
        sys.exit(f"{folder} is missing: run `make build` first")
    package = BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted([folder, *folder.rglob("*")]):
            archive.write(path, path.relative_to(folder.parent))
    return len(package.getvalue())


def imports(function: Resource) -> tuple[float, int]:
    """Import time of a handler relative to the bare script, and modules it loads beyond those."""
    handler, bare = codes(function)
    # In turn, so that a busy moment hits both; the quickest run is the least disturbed.
    pairs = [(run(handler, function), run(bare, function)) for _ in range(RUNS)]
    ratio = min(mine for (mine, _), _ in pairs) / min(theirs for _, (theirs, _) in pairs)
    (_, modules), (_, bare_modules) = pairs[0]
    return ratio, modules - bare_modules


def codes(function: Resource) -> tuple[str, str]:
    """Python that starts the handler, and Python that only makes its clients."""
    bare = "import boto3\nsession = boto3.session.Session()\n" + "\n".join(
        f"session.client({service!r})" for service in sorted(clients_of(function))
    )
    return f"import {function['Handler'].rpartition('.')[0]}", bare


def import_times(code: str, function: Resource) -> dict[str, list[float]]:
    """Milliseconds that each module of a package takes to import, without what it imports.

    Those of `service` take along the making of its AWS clients.
    """
    times: dict[str, list[float]] = {}
    report = python(["-X", "importtime", "-c", code], function).stderr
    for microseconds, package in re.findall(r"import time: +(\d+) \| +\d+ \| +(\w+)", report):
        times.setdefault(package, []).append(int(microseconds) / 1000)
    return times


def run(code: str, function: Resource) -> tuple[float, int]:
    """Seconds that some code takes in a new Python, and how many modules are loaded after it."""
    seconds, modules = python(["-c", MEASURE.format(code=code)], function).stdout.split()
    return float(seconds), int(modules)


def python(arguments: list[str], function: Resource) -> subprocess.CompletedProcess[str]:
    """Run Python as Lambda would for a function."""
    return subprocess.run(
        [sys.executable, *arguments],
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
            "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}",
        },
        encoding="utf-8",
        capture_output=True,
        check=True,
    )
