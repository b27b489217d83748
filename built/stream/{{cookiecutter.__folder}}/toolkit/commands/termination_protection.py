"""Protects the stack of prod from being deleted.

    python -m toolkit termination-protection --env prod    (says whether a stack may be removed)

`make apply` turns the protection on after each deployment; `make remove` asks here first.
"""

import argparse
import sys
from typing import TYPE_CHECKING

import boto3

from toolkit.stacks import errors_in_one_line, region_of, settings_of

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def protect(cloudformation: "CloudFormationClient", env: str, stack: str) -> None:
    """Protect prod from deletion by a single command."""
    if env == "prod":
        cloudformation.update_termination_protection(
            StackName=stack, EnableTerminationProtection=True
        )


def refusal(cloudformation: "CloudFormationClient", stack: str) -> str:
    """Why a stack is not to be removed; empty if it is not protected."""
    [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if not found.get("EnableTerminationProtection"):
        return ""
    return (
        f"{stack} is protected and was not removed. toolkit/docs/restore.md says what would "
        f"stay and what would go. To remove it all the same, run first:\n\n"
        "  aws cloudformation update-termination-protection --no-enable-termination-protection "
        f"--stack-name {stack}"
    )


@errors_in_one_line
def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Says whether a stack may be removed.")
    parser.add_argument("--env", required=True)
    env = parser.parse_args().env
    stack = settings_of(env)["global"]["parameters"]["stack_name"]
    if reasons := refusal(boto3.client("cloudformation", region_of(env)), stack):
        sys.exit(reasons)
