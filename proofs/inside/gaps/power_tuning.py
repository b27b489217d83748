"""Gap: the local AWS has no Serverless Application Repository, from which `make power-tuning` deploys.

Closed: an application is a state machine that asks of its input what AWS Lambda Power Tuning's own code asks, and
answers as it does: github.com/alexcasalboni/aws-lambda-power-tuning, lambda/initializer.js and lambda/utils.js.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services.cloudformation import provisioners

TYPES = ("AWS::Serverless::Application", "AWS::CloudFormation::Stack")
RESULT = {"power": "512", "cost": 0.000002, "duration": 40, "stateMachine": {"visualization": "https://example.com"}}
# An ARN of seven parts: one with a version or an alias has eight, and a name has one.
ASKED = {
    "And": [
        {"Variable": "$.lambdaARN", "StringMatches": "arn:*:lambda:*:*:function:*"},
        {"Not": {"Variable": "$.lambdaARN", "StringMatches": "arn:*:lambda:*:*:function:*:*"}},
        {"Variable": "$.num", "NumericGreaterThanEquals": 5},
        {"Variable": "$.powerValues[0]", "NumericGreaterThanEquals": 128},
        {"Variable": "$.strategy", "StringMatches": "cost"},
    ]
}
DEFINITION = {
    "StartAt": "Initializer",
    "States": {
        "Initializer": {"Type": "Choice", "Choices": [ASKED | {"Next": "Optimizer"}], "Default": "Refused"},
        "Refused": {"Type": "Fail", "Error": "Error", "Cause": "Invalid input"},
        "Optimizer": {"Type": "Pass", "Result": RESULT, "End": True},
    },
}


def is_needed() -> bool:
    """Whether the type is still missing."""
    return TYPES[0] not in provisioners._RESOURCE_HANDLERS


def close() -> None:
    """Make the state machine that an application would make."""
    machine = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]

    def create(logical_id: str, _: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        role = "arn:aws:iam::123456789012:role/power-tuning"
        properties = {
            "StateMachineName": f"{stack}-{logical_id}",
            "DefinitionString": json.dumps(DEFINITION),
            "RoleArn": role,
        }
        arn, _ = machine["create"](logical_id, properties, stack)
        return arn, {"Outputs.StateMachineARN": arn}

    provisioners._RESOURCE_HANDLERS[TYPES[0]] = {"create": create, "delete": machine["delete"]}
