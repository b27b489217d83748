"""Runs AWS Lambda Power Tuning on a function, and prints the memory at which it costs least.

`sam deploy --config-env power-tuning` deploys its state machine, from deploy/power-tuning.yaml.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import boto3

from scripts.stacks import outputs_of, region_of, settings_of, told_in_words

SIZES = [128, 256, 512, 768, 1024, 1769]  # 1769 MB is one whole processor.


def main() -> None:
    """Entry point of `make power-tuning`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--function", required=True, help="as the template calls it: Process")
    parser.add_argument("--payload", default="", help="file with the event to invoke it with")
    arguments = parser.parse_args()
    if arguments.env == "prod":
        sys.exit("Power tuning invokes the function many times: not in prod.")
    stack = settings_of(arguments.env)["global"]["parameters"]["stack_name"]
    payload = json.loads(Path(arguments.payload).read_text("utf-8")) if arguments.payload else {}

    states = boto3.client("stepfunctions", region_name=region_of(arguments.env))
    execution = states.start_execution(
        stateMachineArn=outputs_of("power-tuning")["StateMachine"],
        input=json.dumps(
            {
                "lambdaARN": f"{stack}-{arguments.function}",
                "powerValues": SIZES,
                "num": 20,
                "payload": payload,
                "strategy": "cost",
            }
        ),
    )["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(5)
    if found["status"] != "SUCCEEDED":
        sys.exit(f"{found['status']}: {found.get('cause', '')}")
    best = json.loads(found["output"])
    print(f"{best['power']} MB: ${best['cost'] * 1e6:.2f} and {best['duration']:.0f} ms per call")
    print(f"(dollars per million calls)  {best['stateMachine']['visualization']}")


if __name__ == "__main__":
    told_in_words(main)
