"""Nothing of the user's settings changes what a project's tests, its demo and its builds do."""

import os
import re
import sys
import zipfile
from pathlib import Path

import pytest
from helpers import run
from projects import TOOLS

CONFIGS = {
    "broken": "[default\nregion eu-west-1\n",
    "ignores endpoints": "[default]\nignore_configured_endpoint_urls = true\nregion = us-east-1\n",
}
PIP = "[install]\nuser = true\nprefix = /nowhere/prefix\nroot = /nowhere/root\n"


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS)
def hostile(request: pytest.FixtureRequest, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user may have set; the home is this test's own."""
    (isolated / ".aws").mkdir()
    (isolated / ".aws/config").write_text(request.param, "utf-8")
    (isolated / ".config/pip").mkdir(parents=True)
    (isolated / ".config/pip/pip.conf").write_text(PIP, "utf-8")
    for name, value in {
        "AWS_PROFILE": "corp",
        "AWS_DEFAULT_PROFILE": "corp",
        "AWS_CA_BUNDLE": "/nowhere/ca.pem",
        "PIP_USER": "1",
        "PIP_PREFIX": "/nowhere/prefix",
        "UV_EXCLUDE_NEWER": "2020-01-01",
        "UV_PYTHON": sys.executable,
        "UV_SYSTEM_PYTHON": "1",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def project(templates: Path, tmp_path: Path) -> Path:
    made = tmp_path / "project"
    version = ".".join(map(str, sys.version_info[:2]))
    answers = ("--data", f"python_version={version}", "--data", "description=Köche, 料理")
    done = run(
        "python",
        "-m",
        "generator",
        "new",
        "queue",
        made,
        "--defaults",
        *answers,
        cwd=templates,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return made


def pytest_in(project: Path, *arguments: str) -> None:
    done = run(
        TOOLS / "bin/python", "-m", "pytest", "-q", *arguments, cwd=project, env={**os.environ, "VENV": str(TOOLS)}
    )
    assert done.returncode == 0, done.stdout[-6_000:]


@pytest.mark.usefixtures("hostile")
def test_the_demo_runs(project: Path) -> None:
    path = f"{TOOLS}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "VENV": str(TOOLS), "PATH": path, "PYTHONIOENCODING": "utf-8"}

    done = run(TOOLS / "bin/python", "-m", "toolkit", "demo", cwd=project, env=environment)

    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert "The dead-letter queue" in done.stdout


@pytest.mark.usefixtures("hostile")
def test_unit_and_template_tests_are_green(project: Path) -> None:
    pytest_in(project, "tests/unit", "tests/template", "toolkit/checks", "--ignore=toolkit/checks/e2e")


@pytest.mark.usefixtures("hostile")
def test_what_is_installed_goes_where_it_is_asked_for(project: Path, tmp_path: Path) -> None:
    """With the project's own recipe, and as little to install as there is."""
    requirements = project / "requirements/update.txt"
    first = re.match(r"\S+ \\\n(?: .*\n)+", requirements.read_text("utf-8"))
    assert first
    requirements.write_text(first[0], "utf-8")
    venv = tmp_path / "venv"

    done = run("make", f"VENV={venv}", f"{venv}-update/installed", cwd=project)

    assert done.returncode == 0, done.stderr
    package = first[0].partition("==")[0].replace("-", "_")
    assert list(Path(f"{venv}-update").glob(f"lib/*/site-packages/{package}*"))


def test_pins_are_the_newest_whatever_uv_is_set_to(
    project: Path, isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what uv needs to find packages arrives."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0", "3.0rc1"):
        with zipfile.ZipFile(wheels / f"thing-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(
                f"thing-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n"
            )
            wheel.writestr(f"thing-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            wheel.writestr(f"thing-{version}.dist-info/RECORD", "")
    groups = "\n".join(f'{name} = ["thing"]' for name in ("dev", "deploy", "uv", "sam", "local-aws", "audit", "update"))
    (project / "pyproject.toml").write_text(
        '[project]\nname = "orders"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["thing"]\n'
        f"[dependency-groups]\n{groups}\n",
        "utf-8",
    )
    (isolated / ".config/uv").mkdir(parents=True)
    (isolated / ".config/uv/uv.toml").write_text(f'no-index = true\nfind-links = ["{wheels}"]\n', "utf-8")
    settings = {
        "UV_RESOLUTION": "lowest",
        "UV_PRERELEASE": "allow",
        "UV_CACHE_DIR": tmp_path / "uv",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PATH", f"{TOOLS}/bin:{os.environ['PATH']}")

    done = run(project / "toolkit/pin-requirements", cwd=project)

    assert done.returncode == 0, done.stderr
    for file in (project / "src/requirements.txt", *(project / "requirements").iterdir()):
        assert file.read_text("utf-8").startswith("thing==2.0 "), file
