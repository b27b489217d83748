"""Prints a template with the workflow in it: cfn-lint does not read a definition file."""

import json

from toolkit.commands.draw import definition


def main() -> None:
    """A step of `make lint`."""
    workflow = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/any",
            "Definition": definition(),
        },
    }
    template = json.dumps({"Resources": {"Workflow": workflow}}, indent=2)
    print(template.replace("${Partition}", "aws"))
