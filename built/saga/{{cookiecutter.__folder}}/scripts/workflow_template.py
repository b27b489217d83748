"""Prints a template with the workflow in it: cfn-lint reads none that stands beside a template."""

import json

import yaml

from scripts.draw import DEFINITION


def main() -> None:
    """A step of `make lint`."""
    text = DEFINITION.read_text().replace("${Partition}", "aws")
    workflow = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/any",
            "Definition": yaml.safe_load(text),
        },
    }
    print(json.dumps({"Resources": {"Workflow": workflow}}, indent=2))


if __name__ == "__main__":
    main()
