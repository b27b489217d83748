"""Queues are encrypted, and refuse requests without TLS."""

import pytest

from toolkit.template import resources, the_one

QUEUES = resources("AWS::SQS::Queue")


@pytest.mark.parametrize("name", QUEUES)
def test_queue_is_encrypted_and_requires_tls(name: str) -> None:
    assert QUEUES[name]["Properties"].get("SqsManagedSseEnabled") is True, (
        f"add to {name}: SqsManagedSseEnabled: true"
    )
    statement = the_one(
        (
            statement
            for policy in resources("AWS::SQS::QueuePolicy").values()
            if {"Ref": name} in policy["Properties"]["Queues"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ),
        f"an AWS::SQS::QueuePolicy of {name}, as the other queues have it",
    )
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert {"sqs:ReceiveMessage", "sqs:SendMessage"} <= set(statement["Action"])
    assert statement["Resource"] == {"Fn::GetAtt": f"{name}.Arn"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
