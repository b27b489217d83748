"""The tests of a project read nobody's AWS credentials, but for smoke tests, which have no others."""

import re
from pathlib import Path

import pytest
from helpers import Bake, run
from projects import TOOLS

# What somebody's shell may hold. No account has these keys.
CALLER = {
    "AWS_ACCESS_KEY_ID": "caller",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_PROFILE": "corp",
    "AWS_DEFAULT_PROFILE": "corp",
    "AWS_ENDPOINT_URL": "https://localhost:1",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/caller",
}
PROBE = f"""
import os

def seen():
    return {{name: os.environ.get(name, "") for name in {sorted(CALLER)}}}

COLLECTED = seen()

def test_probe():
    print("COLLECTED", *COLLECTED.values())
    print("SEEN", *seen().values())
"""


@pytest.mark.parametrize("tests", ["unit", "template", "e2e", "smoke"])
def test_only_smoke_tests_see_the_credentials_of_their_caller(bake: Bake, tests: str) -> None:
    seen = probe(bake("queue"), tests)

    hidden = ["test", "test"]  # The keys that no account has, and nothing else of the caller's.
    running = [CALLER[name] for name in sorted(CALLER)] if tests == "smoke" else hidden
    assert seen == {"COLLECTED": hidden, "SEEN": running}


def probe(project: Path, tests: str) -> dict[str, list[str]]:
    """The caller's variables as a test in that folder sees them."""
    (project / "tests" / tests / "test_probe.py").write_text(PROBE, "utf-8")
    done = run(
        *(TOOLS / "bin/python", "-m", "pytest", "-s", f"tests/{tests}/test_probe.py"),
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "ENV": "dev", **CALLER},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {when: re.findall(rf"{when} (.*)", done.stdout)[0].split() for when in ("COLLECTED", "SEEN")}


def test_a_smoke_test_without_credentials_is_one_line(bake: Bake, tmp_path: Path) -> None:
    done = run(
        *(TOOLS / "bin/python", "-m", "pytest", "tests/smoke"),
        cwd=bake("queue"),
        env={"PATH": "/usr/bin:/bin", "ENV": "dev", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
    )

    assert done.returncode == 1
    assert "AWS: Unable to locate credentials. Sign in" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) < 15
