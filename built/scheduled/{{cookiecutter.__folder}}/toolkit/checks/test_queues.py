"""Queues are encrypted, refuse requests without TLS, and know for what a service may send."""

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
            if statement["Effect"] == "Deny"
        ),
        f"an AWS::SQS::QueuePolicy of {name}, as the other queues have it",
    )
    assert statement["Principal"] == "*"
    assert {"sqs:ReceiveMessage", "sqs:SendMessage"} <= set(statement["Action"])
    assert statement["Resource"] == {"Fn::GetAtt": f"{name}.Arn"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_services_send_for_one_resource_only() -> None:
    """Without `aws:SourceArn`, a service would send for anybody: the confused deputy problem.

    docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    for policy in resources("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"].keys() == {"Service"}
                assert statement["Action"] == "sqs:SendMessage"
                source = statement.get("Condition", {}).get("ArnEquals", {})
                assert source.keys() == {"aws:SourceArn"}, (
                    "add to the statement: Condition: { ArnEquals: { aws:SourceArn: … } }"
                )
