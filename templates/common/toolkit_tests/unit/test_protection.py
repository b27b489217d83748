"""`make protection`: what GitHub answers about environments, and what is made of it."""

import json
import subprocess
from typing import Any

import pytest

from toolkit.commands import protection
from toolkit.stacks import settings_of

STACK = settings_of("prod")["global"]["parameters"]["stack_name"]
# As docs.github.com/rest/deployments/environments shows it, without ids and addresses.
REVIEWED = {
    "type": "required_reviewers",
    "prevent_self_review": False,
    "reviewers": [
        {"type": "User", "reviewer": {"login": "octocat"}},
        {"type": "Team", "reviewer": {"name": "Justice League", "slug": "justice-league"}},
    ],
}
VARIABLE = "variables/AWS_DEPLOY_ROLE_ARN"
BRANCHES = "deployment-branch-policies"
GitHub = dict[str, Any]


def environment(*rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "protection_rules": [{"type": "branch_policy"}, *rules],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
        "can_admins_bypass": False,
    }


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """What GitHub answers for each path, all as it should be; None is "not found"."""
    answers: GitHub = {"": {"full_name": "Acme/orders", "private": False}}
    for env in protection.ENVIRONMENTS:
        for name, step in ((f"{env}-plan", "plan"), (env, "apply")):
            role = STACK.replace("-prod", f"-{env}-{step}")
            answers |= {
                f"/environments/{name}": environment(*[REVIEWED] * (name == "prod")),
                f"/environments/{name}/{BRANCHES}": {
                    "total_count": 1,
                    "branch_policies": [{"name": "main", "type": "branch"}],
                },
                f"/environments/{name}/{VARIABLE}": {
                    "name": "AWS_DEPLOY_ROLE_ARN",
                    "value": f"arn:aws:iam::123456789012:role/deploy/{role}",
                },
            }

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        path = command[2].removeprefix("repos/{owner}/{repo}")
        if (answer := answers.get(path)) is None:
            return subprocess.CompletedProcess(command, 1, "{}", "gh: Not Found (HTTP 404)")
        return subprocess.CompletedProcess(command, 0, json.dumps(answer), "")

    monkeypatch.setattr(subprocess, "run", run)
    return answers


def test_what_is_protected_is_said_and_who_approves(
    github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert protection.main() == 0

    assert capsys.readouterr().out.splitlines() == [
        "Acme/orders",
        "dev      protected",
        "staging  protected",
        "prod     protected",
        "prod is approved by octocat, justice-league.",
    ]


def reviewers_ignored(github: GitHub) -> None:
    github["/environments/prod"] = environment()


def reviewers_ignored_in_private(github: GitHub) -> None:
    github["/environments/prod"] = environment()
    github[""]["private"] = True


def an_environment_missing(github: GitHub) -> None:
    github["/environments/staging-plan"] = None


def any_branch(github: GitHub) -> None:
    github["/environments/dev"]["deployment_branch_policy"] = None


def protected_branches(github: GitHub) -> None:
    policy = {"protected_branches": True, "custom_branch_policies": False}
    github["/environments/dev"]["deployment_branch_policy"] = policy


def a_branch_more(github: GitHub) -> None:
    listed = github[f"/environments/dev/{BRANCHES}"]["branch_policies"]
    listed.append({"name": "release/*", "type": "branch"})


def a_tag_of_that_name(github: GitHub) -> None:
    listed = github[f"/environments/dev/{BRANCHES}"]["branch_policies"]
    listed[0]["type"] = "tag"


def no_variable(github: GitHub) -> None:
    github[f"/environments/prod-plan/{VARIABLE}"] = None


def the_other_role(github: GitHub) -> None:
    github[f"/environments/prod-plan/{VARIABLE}"] = github[f"/environments/prod/{VARIABLE}"]


def a_reviewed_plan(github: GitHub) -> None:
    github["/environments/prod-plan"] = environment(REVIEWED)


@pytest.mark.parametrize(
    ("flaw", "reported"),
    [
        (reviewers_ignored, "prod: there are no required reviewers.\n"),
        (reviewers_ignored_in_private, "no required reviewers. GitHub has them in private"),
        (an_environment_missing, "staging-plan does not exist."),
        (any_branch, "dev: it is not limited to the branch main."),
        (protected_branches, "dev: it is not limited to the branch main."),
        (a_branch_more, "dev: it is open to branch main, branch release/*"),
        (a_tag_of_that_name, "dev: it is open to tag main"),
        (no_variable, f"prod-plan: AWS_DEPLOY_ROLE_ARN is not the ARN of {STACK}-plan."),
        (the_other_role, f"prod-plan: AWS_DEPLOY_ROLE_ARN is not the ARN of {STACK}-plan."),
        (a_reviewed_plan, "prod-plan: reviewers would have to approve before"),
    ],
)
def test_each_gap_is_reported_and_fails(
    github: GitHub, capsys: pytest.CaptureFixture[str], flaw: Any, reported: str
) -> None:
    flaw(github)

    assert protection.main() == 1

    out = capsys.readouterr().out
    assert reported in out
    assert out.count("not protected") == 1


def test_an_administrator_who_needs_no_approval_is_reported(
    github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github["/environments/prod"]["can_admins_bypass"] = True

    assert protection.main() == 0
    assert "without approval" in capsys.readouterr().out


def test_a_repository_that_is_not_there_is_reported(github: GitHub) -> None:
    github[""] = None

    with pytest.raises(SystemExit, match="does not show you"):
        protection.main()


def test_a_missing_command_line_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SystemExit, match="is needed"):
        protection.main()


def test_what_github_refuses_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = subprocess.CompletedProcess([], 1, "", "gh: Forbidden (HTTP 403)\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)

    with pytest.raises(SystemExit, match="GitHub: gh: Forbidden"):
        protection.main()
