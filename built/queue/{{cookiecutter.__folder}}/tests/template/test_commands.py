"""What make installs for a command, and which environment a command means."""

import os
import re
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest

from scripts.stacks import PROJECT

# Whoever runs these tests may have used make for it.
FROM_MAKE = {"ENV", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "SHELL_ENV", "VENV"}


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in os.environ if name not in FROM_MAKE}
    command = ["make", *arguments]
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def pins(file: str) -> dict[str, str]:
    text = (PROJECT / "requirements" / file).read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("command", "installed"), [("apply", {"deploy.txt"}), ("plan", {"sam.txt"})]
)
def test_a_job_with_rights_installs_only_what_it_needs(
    command: str, installed: set[str], tmp_path: Path
) -> None:
    shown = make("--dry-run", command, "ENV=prod", "CHANGE_SET=arn", f"VENV={tmp_path}/new")

    assert shown.returncode == 0, shown.stderr
    assert set(re.findall(r"--requirement=requirements/(\S+)", shown.stdout)) == installed


def test_what_applies_needs_boto3_and_nothing_else() -> None:
    needed, looked_at = ["boto3"], set()
    while needed:
        looked_at.add(name := needed.pop())
        lines = [line for line in requires(name) or [] if "extra ==" not in line]
        needed += {re.split(r"[^\w.-]", line)[0] for line in lines} - looked_at

    applies, tested = pins("deploy.txt"), pins("dev.txt")

    assert applies.keys() == looked_at
    assert applies.items() <= tested.items(), "of the same versions as in tests"


def test_another_environment_than_dev_is_said_in_the_command() -> None:
    inherited = make("environment", ENV="prod")

    assert inherited.returncode
    assert "make environment ENV=prod" in inherited.stderr
    assert make("environment", "ENV=prod", ENV="staging").returncode == 0


@pytest.mark.parametrize("inherited", ["dev", "/home/me/.shrc", "$HOME/.my rc"])
def test_any_other_env_of_the_shell_changes_nothing(inherited: str) -> None:
    shown = make("--dry-run", "deploy", ENV=inherited)

    assert "scripts.changes deploy --env dev\n" in shown.stdout
    assert make("environment", ENV=inherited).returncode == 0


@pytest.mark.parametrize(
    "command", ["deploy", "plan", "apply", "smoke", "logs", "cost", "power-tuning", "remove"]
)
def test_every_command_for_a_stack_goes_by_that(command: str) -> None:
    rules = make("--print-data-base", "--question", "help").stdout
    [needs] = re.findall(rf"^{command}: (.*)", rules, re.MULTILINE)

    assert {"environment", "build"} & set(needs.split())


def test_applying_asks_for_the_change_set(tmp_path: Path) -> None:
    (tmp_path / "new-deploy").mkdir()
    (tmp_path / "new-deploy" / "installed").touch()

    done = make("apply", f"VENV={tmp_path}/new")

    assert done.returncode
    assert done.stderr.startswith("CHANGE_SET=arn is needed")
