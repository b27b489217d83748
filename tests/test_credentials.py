"""The tests of a project read nobody's AWS credentials, but for smoke tests, which have no others."""

from pathlib import Path

import pytest
from helpers import run
from test_generated import TOOLS, Bake, bake  # noqa: F401

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
# Read while tests are collected as well as while they run.
PROBE = f"""
import os

def seen():
    return {{name: os.environ.get(name, "") for name in {sorted(CALLER)}}}

COLLECTED = seen()

def test_probe():
    assert COLLECTED == seen()
    print("SEEN", *seen().values())
"""


@pytest.mark.parametrize("tests", ["unit", "template", "e2e", "smoke"])
def test_only_smoke_tests_see_the_credentials_of_their_caller(bake: Bake, tests: str) -> None:  # noqa: F811
    seen = probe(bake("queue"), tests)

    if tests == "smoke":
        assert seen == [CALLER[name] for name in sorted(CALLER)]
    else:
        assert seen == ["test", "test"], "the keys that are none, and nothing else of the caller's"


def probe(project: Path, tests: str) -> list[str]:
    """The caller's variables as a test in that folder sees them."""
    (project / "tests" / tests / "test_probe.py").write_text(PROBE, "utf-8")
    done = run(
        *(TOOLS / "bin/python", "-m", "pytest", "-s", f"tests/{tests}/test_probe.py"),
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "ENV": "dev", **CALLER},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [line] = [line for line in done.stdout.splitlines() if "SEEN" in line]
    return line.partition("SEEN")[2].split()


def test_a_smoke_test_without_credentials_is_one_line(bake: Bake, tmp_path: Path) -> None:  # noqa: F811
    done = run(
        *(TOOLS / "bin/python", "-m", "pytest", "tests/smoke"),
        cwd=bake("queue"),
        env={"PATH": "/usr/bin:/bin", "ENV": "dev", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
    )

    assert done.returncode == 1
    assert "AWS: Unable to locate credentials. Sign in" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) < 15


def test_a_smoke_test_in_a_run_that_hides_credentials_says_so(bake: Bake) -> None:  # noqa: F811
    done = run(
        *(TOOLS / "bin/python", "-m", "pytest", "tests/unit/test_cost.py", "tests/smoke"),
        cwd=bake("queue"),
        env={"PATH": "/usr/bin:/bin", "ENV": "dev", **CALLER},
    )

    assert done.returncode == 1
    assert "use `make smoke`" in done.stdout
