"""Adds a value to the secret that deliveries are verified with; earlier values end later.

The value is read from standard input, so that it is in no command line and no shell history. The
secret is named by the stack's output SecretArn.
"""

import argparse
import getpass
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from toolkit.runtime.rotating_secret import KEEP_SECONDS
from toolkit.runtime.signatures import SCHEMES, InvalidKeyError
from toolkit.signed_delivery import scheme_of_template
from toolkit.stacks import errors_in_one_line, outputs_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

HOURS = 24.0


@errors_in_one_line
def main() -> None:
    """Entry point of `make secret`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument(
        "--overlap",
        type=float,
        default=HOURS,
        help="hours for which earlier values stay valid; 0 if one has leaked (%(default)s)",
    )
    arguments = parser.parse_args()
    if not 0 <= arguments.overlap <= 24 * 365:
        parser.error("--overlap must be from 0 to 8760 hours")
    scheme = scheme_of_template()
    value = value_from_operator()
    try:
        SCHEMES[scheme].key(value)
    except InvalidKeyError as error:
        sys.exit(f"The secret {error}, as {scheme} has it. Nothing was changed")
    arn = outputs_of(arguments.env)["SecretArn"]
    secretsmanager = boto3.client("secretsmanager", region_name=region_of(arguments.env))
    earlier = add(secretsmanager, arn, value, int(time.time()), round(arguments.overlap * 3_600))
    print(f"Added. Earlier values that are still valid: {earlier}")
    print(f"Functions know it within {KEEP_SECONDS // 60} minutes, at the latest")


def value_from_operator() -> str:
    """The value: typed without being shown, or from a pipe."""
    if sys.stdin.isatty():
        return getpass.getpass("The provider's secret (not shown): ").strip()
    return sys.stdin.readline().strip()


def add(
    secretsmanager: "SecretsManagerClient", arn: str, value: str, now: int, overlap: int
) -> int:
    """Add a value as the current one; earlier ones end within `overlap` seconds.

    Returns:
        How many earlier values are still valid after `now`.
    """
    entries: list[dict[str, Any]] = [{"value": value}]
    for entry in _entries(secretsmanager, arn):
        end = min(entry.get("not_after", now + overlap), now + overlap)
        if end > now and entry["value"] != value:
            entries.append({"value": entry["value"], "not_after": end})
    secretsmanager.put_secret_value(SecretId=arn, SecretString=json.dumps({"secrets": entries}))
    return len(entries) - 1


def _entries(secretsmanager: "SecretsManagerClient", arn: str) -> list[dict[str, Any]]:
    try:
        text = secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return []  # There is no value yet.
    entries: list[dict[str, Any]] = json.loads(text)["secrets"]
    return entries
