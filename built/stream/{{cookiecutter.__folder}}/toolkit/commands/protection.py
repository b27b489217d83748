"""Checks on GitHub that each environment is protected as toolkit/deploy/README.md sets it up.

GitHub silently ignores an environment's reviewers if the repository's plan does not include them.
"""

import json
import re
import subprocess
import sys
from typing import Any

from toolkit.stacks import settings_of

ENVIRONMENTS = ("dev", "staging", "prod")
# The GitHub environments of each, and the step whose role they name.
ROLES = {"{}-plan": "plan", "{}": "apply"}


def ask_github(path: str) -> Any:
    """What GitHub's REST API answers to a GET; None where there is nothing.

    Raises:
        SystemExit: GitHub refuses, or its command line is missing.
    """
    # gh puts in the repository of this folder.
    command = ["gh", "api", "repos/{owner}/{repo}" + path]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        sys.exit("GitHub's command line, gh, is needed: https://cli.github.com")
    if "HTTP 404" in done.stderr:
        return None
    if done.returncode:
        sys.exit(f"GitHub: {done.stderr.strip()}")
    return json.loads(done.stdout)


def problems(environment: str, *, private: bool) -> list[str]:
    """What is wrong with the two GitHub environments of an environment, a sentence each."""
    found = []
    for form, step in ROLES.items():
        name = form.format(environment)
        settings = ask_github(f"/environments/{name}")
        if settings is None:
            found.append(f"{name} does not exist.")
            continue
        found += [f"{name}: {problem}" for problem in branch_problems(name, settings)]
        variable = ask_github(f"/environments/{name}/variables/AWS_DEPLOY_ROLE_ARN")
        stack = settings_of(environment)["global"]["parameters"]["stack_name"]
        role = rf"arn:aws[\w-]*:iam::\d{{ "{{" }}12}}:role/deploy/{re.escape(stack)}-{step}"
        if not variable or not re.fullmatch(role, variable["value"]):
            found.append(f"{name}: AWS_DEPLOY_ROLE_ARN is not the ARN of {stack}-{step}.")
        reviewed = bool(reviewers(settings))
        if name == "prod" and not reviewed:
            why = " GitHub has them in private repositories on the Enterprise plan only."
            found.append(f"prod: there are no required reviewers.{why if private else ''}")
        if step == "plan" and reviewed:
            found.append(f"{name}: reviewers would have to approve before there is a plan to see.")
    return found


def branch_problems(name: str, settings: dict[str, Any]) -> list[str]:
    """What lets another branch than main use a GitHub environment."""
    policy = settings.get("deployment_branch_policy")
    if not policy or not policy["custom_branch_policies"]:
        return ["it is not limited to the branch main."]
    listed = ask_github(f"/environments/{name}/deployment-branch-policies") or {}
    names = sorted(
        f"{each.get('type', 'branch')} {each['name']}" for each in listed.get("branch_policies", [])
    )
    if names != ["branch main"]:
        return [f"it is open to {', '.join(names) or 'no branch'}, and should be to branch main."]
    return []


def reviewers(settings: dict[str, Any]) -> list[str]:
    """Who may approve jobs of a GitHub environment: logins of users, slugs of teams."""
    return [
        each["reviewer"].get("login") or each["reviewer"].get("slug")
        for rule in settings.get("protection_rules", [])
        if rule["type"] == "required_reviewers"
        for each in rule.get("reviewers", [])
    ]


def main() -> int:
    """Entry point of `make protection`."""
    repository = ask_github("")
    if repository is None:
        sys.exit("GitHub does not show you this repository: see `gh auth status`")
    print(repository["full_name"])
    failed = False
    for environment in ENVIRONMENTS:
        found = problems(environment, private=repository["private"])
        failed = failed or bool(found)
        print(f"{environment:<8} {'not protected' if found else 'protected'}")
        print("".join(f"         {problem}\n" for problem in found), end="")
    prod = ask_github("/environments/prod") or {}
    if names := reviewers(prod):
        print(f"prod is approved by {', '.join(names)}.")
    if prod.get("can_admins_bypass"):
        print("Administrators of the repository may deploy to prod without approval.")
    return int(failed)
