"""`make local`: runs the stack on the local AWS until Ctrl-C."""

import re
import signal
import sys
import threading

from scripts.demo import example
from toolkit.local_aws.logs import follow
from toolkit.local_aws.stack import LocalAwsError, deploy, local_aws


def main() -> None:
    """Bring the stack up, print how to reach it, and show what its functions log."""
    stop = threading.Event()
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, lambda *_: stop.set())
    try:
        with local_aws() as aws:
            print("Building and deploying template.yaml …", flush=True)
            stack = deploy(aws)
            print(
                "\nIn another terminal, talk to it with any AWS SDK, or version 2 of the AWS CLI:\n"
            )
            print("  unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
            for name, value in aws.environment.items():
                print(f"  export {name}={value}")
            print("\nThe stack's outputs:\n")
            for name, value in stack.outputs.items():
                # An address on AWS itself, an API's or the console's, leads nowhere here.
                if not re.match(r"https://[^/]*\bamazon(aws)?\.com\b", value):
                    print(f"  {name} = {value}")
            print(f"\n{example(stack)}\nCtrl-C stops it and leaves nothing behind.")
            print("What the functions log from now on:\n", flush=True)
            follow(stack, stop)
    except LocalAwsError as error:
        sys.exit(str(error))
