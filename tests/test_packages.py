"""Packages for Lambda: what the runtime can load, and the same bytes wherever they are built."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import run
from projects import CALLERS_VARIABLES, TOOLS

# In the project, whose modules these are.
CHECK = """
import sys
from pathlib import Path
from toolkit.commands.budget import not_loadable
print(not_loadable(Path(sys.argv[1]), sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a project's make: `sam build` runs python3."""
    for name in CALLERS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{TOOLS / 'bin'}:{os.environ['PATH']}")


def create(folder: Path, version: str = "3.14") -> Path:
    """A project of the pattern queue."""
    command = Path(sys.executable).with_name("serverless-templates")
    done = run(command, "new", "queue", folder, "--defaults", "--data", f"python_version={version}")
    assert done.returncode == 0, done.stderr
    return folder


def build(project: Path, artifacts: Path) -> dict[str, bytes]:
    """The files of a package, as `sam build` makes it; SAM names it after their names and content."""
    artifacts.mkdir()
    subprocess.run(
        ["make", "--silent", "build-Any"],
        cwd=project / "src",
        env={**os.environ, "ARTIFACTS_DIR": str(artifacts)},
        check=True,
    )
    return {
        path.relative_to(artifacts).as_posix(): path.read_bytes() for path in artifacts.rglob("*") if path.is_file()
    }


def not_loadable(project: Path, package: Path, runtime: str) -> str:
    done = subprocess.run(
        [TOOLS / "bin/python", "-c", CHECK, package, runtime],
        cwd=project,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.strip()


def test_a_build_after_tests_equals_one_of_another_clone(tmp_path: Path) -> None:
    used, other = create(tmp_path / "a" / "orders"), create(tmp_path / "b" / "orders")
    # The caller may have set Python to write no compiled modules.
    leaving = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([TOOLS / "bin/python", "-m", "pytest", "-q", "tests/unit"], cwd=used, env=leaving, check=True)
    assert list((used / "src/service").rglob("__pycache__"))

    assert build(used, tmp_path / "used") == build(other, tmp_path / "other")


def test_a_compiled_package_is_one_that_the_runtime_can_load(tmp_path: Path) -> None:
    """hyp3#1190, Zappa#1063: Lambda's Python 3.11 runs on Amazon Linux 2, with glibc 2.26."""
    project = create(tmp_path / "project", "3.11")
    subprocess.run(
        [
            *(TOOLS / "bin/uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--generate-hashes", "--output-file", "src/requirements.txt", "-"),
        ],
        input="cryptography\n",
        cwd=project,
        encoding="utf-8",
        check=True,
    )
    package = tmp_path / "package"

    assert [name for name in build(project, package) if name.startswith("cryptography/") and name.endswith(".so")]
    assert not_loadable(project, package, "python3.11") == "[]"


def test_pins_that_do_not_fit_together_are_not_installed(tmp_path: Path) -> None:
    """Everything is installed with `--no-deps`: nothing else would tell that one is missing or too old."""
    project = create(tmp_path / "project")
    subprocess.run(
        [
            *(TOOLS / "bin/uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes"),
            *("--output-file", "requirements/audit.txt", "-"),
        ],
        input="jinja2\n",
        cwd=project,
        encoding="utf-8",
        check=True,
    )
    tools = tmp_path / "tools"

    done = run("make", f"--directory={project}", f"VENV={tools}", f"{tools}-audit/installed")

    assert done.returncode
    assert re.search(r"`jinja2` requires `markupsafe\S*`, but it's not installed", done.stderr)
    assert not (tmp_path / "tools-audit/installed").exists()


LOADABLE = [
    "cp311-cp311-manylinux_2_26_aarch64",
    "cp311-abi3-manylinux2014_aarch64",
    "py3-none-any",
]
FOREIGN = [
    "cp311-abi3-manylinux_2_28_aarch64",
    "cp312-cp312-manylinux2014_aarch64",
    "cp311-cp311-manylinux2014_x86_64",
]


def test_a_wheel_that_the_runtime_cannot_load_is_reported(tmp_path: Path) -> None:
    package = tmp_path / "package"
    for number, tag in enumerate(LOADABLE + FOREIGN):
        (package / f"any-{number}.dist-info").mkdir(parents=True)
        (package / f"any-{number}.dist-info/WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n", "utf-8")

    found = not_loadable(create(tmp_path / "project"), package, "python3.11")

    assert found == str([f"any-{number} is for {tag}" for number, tag in enumerate(FOREIGN, len(LOADABLE))])
