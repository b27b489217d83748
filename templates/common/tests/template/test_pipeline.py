"""The workflows: what they check before they let a change through."""

from typing import Any

import pytest
import yaml

from scripts.stacks import PROJECT


def jobs_of(workflow: str) -> dict[str, dict[str, Any]]:
    path = PROJECT / ".github" / "workflows" / workflow
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    return jobs


@pytest.mark.parametrize("command", ["lint", "test", "build", "budget", "audit"])
def test_no_change_gets_by_a_check(command: str) -> None:
    jobs = [
        job for job in jobs_of("ci.yml").values() if not {"if", "continue-on-error"} & job.keys()
    ]

    assert [job for job in jobs if {"run": f"make {command}"} in job["steps"]], "unconditionally"


def test_what_is_deployed_has_passed_and_goes_from_one_environment_to_the_next() -> None:
    jobs = jobs_of("deploy.yml")

    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert {name: job["needs"] for name, job in jobs.items() if "needs" in job} == {
        "dev": "ci",
        "staging": "dev",
        "prod": "staging",
    }
