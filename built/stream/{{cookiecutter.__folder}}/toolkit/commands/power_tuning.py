"""Runs AWS Lambda Power Tuning on a function, and prints the memory at which it costs least.

`sam deploy --config-env power-tuning` deploys its state machine, from
toolkit/deploy/power-tuning.yaml.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3

from toolkit.stacks import errors_in_one_line, outputs_of, region_of, settings_of

SIZES = [128, 256, 512, 768, 1024, 1769]  # 1769 MB is one whole processor.


def tuning_input(state_machine: str, function: str, payload: Any) -> dict[str, Any]:
    """What the state machine asks for: github.com/alexcasalboni/aws-lambda-power-tuning.

    It takes the function's ARN in full and without an alias, since it measures versions of its own.
    """
    _, partition, _, region, account, *_ = state_machine.split(":")
    return {
        "lambdaARN": f"arn:{partition}:lambda:{region}:{account}:function:{function}",
        "powerValues": SIZES,
        "num": 20,
        "payload": payload,
        "strategy": "cost",
    }


@errors_in_one_line
def main() -> None:
    """Entry point of `make power-tuning`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    parser.add_argument("--function", required=True, help="as the template calls it: Process")
    parser.add_argument("--payload", default="", help="file with the event to invoke it with")
    arguments = parser.parse_args()
    if arguments.env != "dev":
        # Its role may touch the functions of dev only: see toolkit/deploy/power-tuning.yaml.
        sys.exit("Power tuning invokes the function many times: in dev only.")
    stack = settings_of(arguments.env)["global"]["parameters"]["stack_name"]
    payload = json.loads(Path(arguments.payload).read_text("utf-8")) if arguments.payload else {}

    states = boto3.client("stepfunctions", region_name=region_of("power-tuning"))
    state_machine = outputs_of("power-tuning")["StateMachine"]
    asked = tuning_input(state_machine, f"{stack}-{arguments.function}", payload)
    execution = states.start_execution(stateMachineArn=state_machine, input=json.dumps(asked))
    arn = execution["executionArn"]
    while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(5)
    best = json.loads(found.get("output") or "{}")
    if "power" not in best:
        # It also ends as SUCCEEDED, and with nothing, after it has cleaned up behind an error.
        sys.exit(f"Not measured: {found.get('cause', 'the state machine met an error')}. See {arn}")
    print(f"{best['power']} MB: ${best['cost'] * 1e6:.2f} and {best['duration']:.0f} ms per call")
    print(f"(dollars per million calls)  {best['stateMachine']['visualization']}")
