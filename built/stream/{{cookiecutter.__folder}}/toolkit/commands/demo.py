"""`make demo`: runs the stack on the local AWS, and scripts/demo.py on it."""

import sys

from scripts.demo import run
from toolkit.local_aws.stack import LocalAwsError, deploy, local_aws


def main() -> None:
    """Bring the stack up, and show what it does."""
    try:
        with local_aws() as aws:
            print(
                f"Local AWS at {aws.endpoint}: building and deploying template.yaml …", flush=True
            )
            run(deploy(aws))
    except LocalAwsError as error:
        sys.exit(str(error))
