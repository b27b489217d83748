"""The workflows: what they check before they let a change through."""

from typing import Any

import pytest
import yaml

from toolkit.stacks import PROJECT


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


def test_only_a_plan_that_says_so_needs_no_apply() -> None:
    """An output that GitHub drops, as it does where one looks like a secret, is empty."""
    jobs = jobs_of("deploy-environment.yml")

    assert jobs["plan"]["outputs"] == {
        "changes": "${{ "{{" }} steps.plan.outputs.changes }}",
        "change_set": "${{ "{{" }} steps.plan.outputs.change_set }}",
    }
    assert jobs["apply"]["if"] == "needs.plan.outputs.changes != 'false'"
    assert jobs["smoke"]["needs"] == ["plan", "apply"]
    assert jobs["smoke"]["if"] == "${{ "{{" }} !cancelled() && !failure() }}"


@pytest.mark.parametrize("job", ["plan", "apply", "smoke"])
def test_the_command_says_which_environment_it_means(job: str) -> None:
    steps = jobs_of("deploy-environment.yml")[job]["steps"]
    [step] = [step for step in steps if step.get("run", "").startswith("make ")]

    assert step["run"].startswith(f'make {job} ENV="$ENV"')
    assert step["env"]["ENV"] == "${{ "{{" }} inputs.environment }}"


def test_a_job_with_rights_in_aws_restores_no_cache() -> None:
    jobs = jobs_of("deploy-environment.yml").values()
    uses = [step for job in jobs for step in job["steps"] if "uses" in step]

    assert not [step for step in uses if "cache" in step["uses"] or "cache" in step.get("with", {})]


def test_the_build_is_there_for_as_long_as_a_run_may_wait() -> None:
    """35 days, of which 30 for one approval: docs.github.com/actions/reference/limits."""
    steps = jobs_of("ci.yml")["check"]["steps"]
    [upload] = [step for step in steps if "upload-artifact" in step.get("uses", "")]

    assert upload["with"]["retention-days"] >= 35
