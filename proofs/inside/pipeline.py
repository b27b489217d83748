"""Deploys a project onto the local AWS as its pipeline does, twice: as the roles of deploy/role.yaml, in both steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from toolkit.local_aws.stack import LOCAL_AWS_PYTHON, SAM, LocalAws, local_aws
from toolkit.stacks import PROJECT, settings_of
from toolkit.template import template

# Of all environments, prod takes the most rights.
ENVIRONMENT = "prod"
STACK = settings_of(ENVIRONMENT)["global"]["parameters"]["stack_name"]
# The local AWS takes no tokens of GitHub's; what the roles may do stays as it is.
TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}


def main() -> None:
    """Make the roles, then the stack, then a change to it."""
    with local_aws() as aws:
        make_roles(aws)
        run(SAM, "build", "--config-env", ENVIRONMENT, variables=as_administrator(aws))
        settings = PROJECT / "samconfig.toml"
        # Prod refuses to deploy without these.
        text = settings.read_text("utf-8").replace('AlarmEmail=""', "AlarmEmail=alarms@example.com")
        text = text.replace('AllowedOrigin=""', "AllowedOrigin=https://shop.example.com")
        for retention in ("365", "400"):
            settings.write_text(text.replace("LogRetentionDays=365", f"LogRetentionDays={retention}"), "utf-8")
            planned = changes(aws, "plan")
            changes(aws, "apply", planned.splitlines()[-1])


def make_roles(aws: LocalAws) -> None:
    """What an administrator does once; no provider, whose type the local AWS does not know."""
    text = (PROJECT / "deploy/role.yaml").read_text("utf-8")
    before, provider, rest = text.partition("  GitHubProvider:\n    Type:")
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"{STACK}-pipeline",
        TemplateBody=before + rest[rest.index("\n  PlanRole:") :] if provider else text,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "Environment", "ParameterValue": ENVIRONMENT},
            {"ParameterKey": "GitHubSubject", "ParameterValue": "owner/name"},
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"{STACK}-pipeline", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def changes(aws: LocalAws, step: str, *arguments: str) -> str:
    """What a step of the pipeline prints, signed in as its role."""
    name = template("deploy/role.yaml")["Resources"][f"{step.capitalize()}Role"]["Properties"]["RoleName"]["Fn::Sub"]
    role = name.replace("${Environment}", ENVIRONMENT)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    aws.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=policy)
    arn = f"arn:aws:iam::123456789012:role/deploy/{role}"
    session = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="pipeline")["Credentials"]
    signed_in = {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    command = (sys.executable, "-m", "toolkit", "changes", step, "--env", ENVIRONMENT, *arguments)
    return run(*command, variables=as_administrator(aws) | signed_in)


def as_administrator(aws: LocalAws) -> dict[str, str]:
    """Environment variables for tools; with wheels for this machine."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # uv is there
    return {**os.environ, **aws.environment, "LAMBDA": f"--python {LOCAL_AWS_PYTHON}", "PATH": path}


def run(*command: object, variables: dict[str, str]) -> str:
    """What a command prints; its failure is ours, in its own words."""
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, cwd=PROJECT, env=variables, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments[1:4])}: {(done.stderr.strip() or done.stdout.strip())[-600:]}")
    return done.stdout.strip()


main()
