"""Finds a deployed stack: its name is in samconfig.toml, everything else in its outputs."""

import sys
import tomllib
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

PROJECT = Path(__file__).resolve().parent.parent


def settings_of(env: str) -> dict[str, Any]:
    """The section of samconfig.toml for an environment.

    Raises:
        SystemExit: there is no such section.
    """
    environments = {name: section for name, section in samconfig().items() if name != "version"}
    if env not in environments:
        known = ", ".join(environments)
        raise SystemExit(f"{env!r} is not an environment of samconfig.toml; these are: {known}")
    settings: dict[str, Any] = environments[env]
    return settings


@cache
def samconfig() -> dict[str, Any]:
    """What samconfig.toml holds; read once, because checks ask for it thousands of times."""
    return tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))


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


# What AWS answers to credentials that have ended or that it does not know.
SIGN_IN_AGAIN = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}


def in_words(error: BotoCoreError | ClientError) -> str:
    """What AWS refused, or why it was not reached, in one line; with the remedy if it is known."""
    text = " ".join(f"AWS: {error}".split()).rstrip(".")
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if isinstance(error, NoCredentialsError) or code in SIGN_IN_AGAIN:
        return f"{text}. Sign in, for example with `aws login`, or set AWS_PROFILE"
    if isinstance(error, NoConnectionError):
        return f"{text}. Check the network and the proxy settings"
    if code == "ValidationError" and text.endswith("does not exist"):
        return f"{text}. Deploy it first"
    return text


def errors_in_one_line(main: Callable[[], int | None]) -> Callable[[], int | None]:
    """Make an error of AWS end a command with one line instead of a traceback."""

    @wraps(main)
    def run() -> int | None:
        try:
            return main()
        except (BotoCoreError, ClientError) as error:
            sys.exit(in_words(error))

    return run
