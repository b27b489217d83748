"""Finds a deployed stack: its name is in samconfig.toml, everything else in its outputs."""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

PROJECT = Path(__file__).resolve().parent.parent


def settings_of(env: str) -> dict[str, Any]:
    """The section of samconfig.toml for an environment.

    Raises:
        SystemExit: there is no such section.
    """
    sections = tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))
    environments = {name: section for name, section in sections.items() if name != "version"}
    if env not in environments:
        known = ", ".join(environments)
        raise SystemExit(f"{env!r} is not an environment of samconfig.toml; these are: {known}")
    settings: dict[str, Any] = environments[env]
    return settings


def outputs_of(env: str) -> dict[str, str]:
    """The outputs of an environment's stack, by name."""
    cloudformation = boto3.client("cloudformation", region_name=region_of(env))
    return outputs(cloudformation, settings_of(env)["global"]["parameters"]["stack_name"])


def outputs(cloudformation: "CloudFormationClient", stack_name: str) -> dict[str, str]:
    """The outputs of a stack, by name."""
    [stack] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def region_of(env: str) -> str:
    """The AWS region of an environment."""
    region: str = settings_of(env)["global"]["parameters"]["region"]
    return region


def told_in_words(main: Callable[[], int | None]) -> None:
    """Run a command; what AWS refuses ends it with AWS's own words rather than a traceback."""
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS: {error}")
