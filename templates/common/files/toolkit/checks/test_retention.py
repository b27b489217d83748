"""Whatever holds data or evidence outlives its resource and its stack in prod."""

import pytest

from toolkit.template import ENVIRONMENTS, resolve, template

RESOURCES = template()["Resources"]
# Data that cannot be restored by a deployment: business data, accepted work, records, logs.
HOLDS_DATA = {
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
}
# A deployment makes these again as they were.
HOLDS_NOTHING = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Cognito::UserPoolClient",
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::LogStream",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::Serverless::Api",
    "AWS::Serverless::Function",
    "AWS::Serverless::StateMachine",
}
DATA = [name for name, resource in RESOURCES.items() if resource["Type"] in HOLDS_DATA]


@pytest.mark.parametrize("kind", sorted({resource["Type"] for resource in RESOURCES.values()}))
def test_it_is_known_whether_a_resource_holds_data(kind: str) -> None:
    assert kind in HOLDS_DATA | HOLDS_NOTHING, "add it to one of the two sets above"


@pytest.mark.parametrize("name", DATA)
def test_what_holds_data_stays_in_prod(name: str) -> None:
    """Except when its own creation fails: it is empty then, and in the way of the next attempt."""
    resource = RESOURCES[name]

    for policy, expected in (
        ("DeletionPolicy", "RetainExceptOnCreate"),
        ("UpdateReplacePolicy", "Retain"),
    ):
        assert resolve(resource.get(policy), "prod") == expected, f"add {policy} to {name}"


@pytest.mark.parametrize("environment", [env for env in ENVIRONMENTS if env != "prod"])
@pytest.mark.parametrize(
    "name", [name for name in DATA if RESOURCES[name]["Type"] == "AWS::Logs::LogGroup"]
)
def test_elsewhere_logs_go_with_their_stack(name: str, environment: str) -> None:
    """They have fixed names: what stays would be in the way of the next stack."""
    assert resolve(RESOURCES[name].get("DeletionPolicy"), environment) == "Delete"
