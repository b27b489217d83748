"""What make installs for a command, and which environment a command means."""

import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from toolkit.isolation import SETTINGS
from toolkit.stacks import PROJECT

# Whoever runs these tests may have used make for it.
FROM_MAKE = {"ENV", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "SHELL_ENV", "VENV"}


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in os.environ if name not in FROM_MAKE}
    # Any program in the place of uv: nothing is installed here.
    command = ["make", f"UV={sys.executable}", *arguments]
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment | variables,
        capture_output=True,
        encoding="utf-8",
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
    asked = set(re.findall(r"--requirement=requirements/(\S+)", shown.stdout))
    assert asked - {"uv.txt"} == installed, "and uv itself, if it is missing"


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

    assert "toolkit changes deploy --env dev\n" in shown.stdout
    assert make("environment", ENV=inherited).returncode == 0


def commands_for_a_stack() -> dict[str, set[str]]:
    """The commands that go by ENV, or run what does, and what each needs first."""
    text = "".join((PROJECT / path).read_text("utf-8") for path in ("toolkit/Makefile", "Makefile"))
    rules = re.findall(r"^([a-z-]+):(?!=)([^#\n]*)(?:##.*)?\n((?:\t.*\n)+)", text, re.MULTILINE)
    by_env = re.compile(r"\$\(ENV\)|pytest tests/smoke$", re.MULTILINE)
    return {name: set(needs.split()) for name, needs, recipe in rules if by_env.search(recipe)}


@pytest.mark.parametrize("command", commands_for_a_stack())
def test_every_command_for_a_stack_goes_by_that(command: str) -> None:
    assert {"environment", "build"} & commands_for_a_stack()[command]


def test_these_are_commands_for_a_stack() -> None:
    assert {"deploy", "plan", "apply", "smoke", "logs", "cost", "remove"} <= set(
        commands_for_a_stack()
    )


def test_applying_asks_for_the_change_set(tmp_path: Path) -> None:
    (tmp_path / "new-deploy").mkdir()
    (tmp_path / "new-deploy" / "installed").touch()

    done = make("apply", f"VENV={tmp_path}/new")

    assert done.returncode
    assert done.stderr.startswith("CHANGE_SET=arn is needed")


def test_no_test_but_a_smoke_test_sees_the_callers_credentials() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == SETTINGS["AWS_ACCESS_KEY_ID"]
    assert {name for name in os.environ if name.startswith("AWS_")} == SETTINGS.keys()


@pytest.mark.parametrize("protected", [True, False])
def test_a_protected_stack_is_not_removed(protected: bool, tmp_path: Path) -> None:
    programs = {"new/bin/python": f"exit {int(protected)}", "new-sam/bin/sam": "touch ../removed"}
    for name, script in programs.items():
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\ncd {tmp_path}/new\n{script}\n", "utf-8")
        program.chmod(0o755)
        (program.parent.parent / "installed").touch()

    make("remove", "ENV=prod", f"VENV={tmp_path}/new")

    assert (tmp_path / "removed").exists() != protected


def test_linting_looks_at_the_end_of_the_runtime(tmp_path: Path) -> None:
    shown = make("--dry-run", "lint", f"VENV={tmp_path}/new")

    assert f"{tmp_path}/new/bin/python -m toolkit runtimes\n" in shown.stdout
