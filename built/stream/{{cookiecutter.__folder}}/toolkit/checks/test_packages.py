"""src/Makefile: packages that the runtime can load, with the same bytes from every build."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from toolkit.commands.runtimes import RUNTIMES
from toolkit.stacks import PROJECT
from toolkit.template import PACKAGE, template

RUNTIME: str = template()["Globals"]["Function"]["Runtime"]
# The glibc versions, 2.x, that `uv pip install --python-platform` knows: uv pip install --help.
OF_UV = (17, 28, *range(31, 41))
# Stands in for uv: says what it was asked, and leaves what differs between machines.
UV = """\
#!/bin/sh
echo "$@"
mkdir -p "$ARTIFACTS_DIR/bin" "$ARTIFACTS_DIR/package/__pycache__"
echo "$0" > "$ARTIFACTS_DIR/bin/command"
echo > "$ARTIFACTS_DIR/package/__pycache__/module.pyc"
echo "$0" > "$ARTIFACTS_DIR/.lock"
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The sources as after a test run, and a uv that installs nothing."""
    shutil.copytree(PROJECT / "src", tmp_path / "src")
    shutil.copytree(PROJECT / "toolkit", tmp_path / "toolkit")
    service = tmp_path / "src" / PACKAGE.name
    for folder in [service, *service.glob("*/"), tmp_path / "toolkit" / "runtime"]:
        (folder / "__pycache__").mkdir(exist_ok=True)
        (folder / "__pycache__" / "module.cpython-314.pyc").write_text("compiled", "utf-8")
    (tmp_path / "uv").write_text(UV, "utf-8")
    (tmp_path / "uv").chmod(0o755)
    return tmp_path


def build(sources: Path, name: str) -> tuple[str, dict[str, bytes]]:
    """What was asked of uv, and the package's files."""
    artifacts = sources / name
    artifacts.mkdir()
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, "--no-print-directory", "--silent", "build-Any"],
        cwd=sources / "src",
        env={"PATH": f"{sources}:{os.environ['PATH']}", "ARTIFACTS_DIR": str(artifacts)},
        encoding="utf-8",
        stdout=subprocess.PIPE,
        check=True,
    )
    files = {
        path.relative_to(artifacts).as_posix(): path.read_bytes()
        for path in artifacts.rglob("*")
        if path.is_file()
    }
    return done.stdout, files


def test_only_wheels_are_taken_that_the_runtime_can_load(sources: Path) -> None:
    asked, _ = build(sources, "package")

    [glibc] = re.findall(r"--python-platform aarch64-manylinux_2_(\d+) ", asked)
    assert int(glibc) == max(known for known in OF_UV if known <= RUNTIMES[RUNTIME].glibc)
    assert "--only-binary :all:" in asked
    assert f"--python-version {RUNTIME.removeprefix('python')}" in asked


def test_a_package_holds_nothing_of_the_machine_that_built_it(sources: Path) -> None:
    """Or each build would publish a new version of every function."""
    _, files = build(sources, "package")

    assert {path.split("/")[0] for path in files} == {PACKAGE.name, "toolkit"}
    assert not [path for path in files if "__pycache__" in path]
    assert files.keys() >= {f"{PACKAGE.name}/__init__.py", "toolkit/runtime/observability.py"}


def test_the_pipeline_runs_on_the_python_of_the_functions() -> None:
    used = {
        str(step["with"]["python-version"])
        for path in (PROJECT / ".github" / "workflows").glob("*.yml")
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
        for step in job.get("steps", [])
        if "python-version" in step.get("with", {})
    }

    assert used == {RUNTIME.removeprefix("python")}


def test_what_is_shipped_is_what_is_tested() -> None:
    """`make requirements` pins both at once; a pin that is edited alone is shipped untested."""
    shipped, tested = (pins(name) for name in ("src/requirements.txt", "requirements/dev.txt"))

    assert shipped
    assert {name: tested.get(name) for name in shipped} == shipped


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / name).read_text("utf-8"), re.MULTILINE))
