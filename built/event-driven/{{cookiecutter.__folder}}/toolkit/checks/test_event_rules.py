"""How events reach queues: nothing is lost on the way, and nobody else delivers."""

from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.template import (
    ENVIRONMENTS,
    as_list,
    functions,
    named,
    resolve,
    resources,
    statements_of,
    the_one,
)

RULES = resources("AWS::Events::Rule")
QUEUES = resources("AWS::SQS::Queue")
ROLES = resources("AWS::IAM::Role")
ON_A_BUS = [name for name, rule in RULES.items() if "EventBusName" in rule["Properties"]]
VISIBLE = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
every_rule = pytest.mark.parametrize("name", RULES)
every_bucket = pytest.mark.parametrize("name", resources("AWS::S3::Bucket"))
STREAMS = {
    name: mapping["Properties"]
    for name, mapping in resources("AWS::Lambda::EventSourceMapping").items()
    if "StartingPosition" in mapping["Properties"]
}


def polled_by(function: dict[str, Any]) -> set[str]:
    """The queues that a function works on."""
    events = function.get("Events", {}).values()
    return {queue for event in events for queue in named(event["Properties"].get("Queue"))}


def target_of(name: str) -> dict[str, Any]:
    [target] = RULES[name]["Properties"]["Targets"]
    return dict(target)


def queues_of(name: str) -> list[str]:
    """The queue of a rule, and its dead-letter queue if it has one."""
    target = target_of(name)
    ends = [target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")]
    return [queue for end in ends if end for queue in named(end)]


def policy_of(queue: str) -> tuple[str, dict[str, Any]]:
    return the_one(
        (
            (name, policy["Properties"]["PolicyDocument"])
            for name, policy in resources("AWS::SQS::QueuePolicy").items()
            if {"Ref": queue} in policy["Properties"]["Queues"]
        ),
        f"an AWS::SQS::QueuePolicy of {queue}: of two, the other is lost",
    )


@every_rule
def test_rule_has_one_target_which_is_a_queue(name: str) -> None:
    """What EventBridge hands to a function, the function can lose: a queue keeps it."""
    assert set(queues_of(name)) <= set(QUEUES)
    # docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html: the most.
    retries = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert target_of(name)["RetryPolicy"] == retries


@every_rule
def test_each_queue_takes_events_of_exactly_its_rule(name: str) -> None:
    rule = RULES[name]["Properties"]
    bus = f"{resolve(rule['EventBusName'], 'prod')}/" if name in ON_A_BUS else ""
    expected = f":rule/{bus}{resolve(rule['Name'], 'prod')}"

    for queue in queues_of(name):
        [allowed] = [one for one in policy_of(queue)[1]["Statement"] if one["Effect"] == "Allow"]
        assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
        assert named(allowed["Resource"]) == {queue}
        source = resolve(allowed["Condition"]["ArnEquals"]["aws:SourceArn"], "prod")
        assert source.endswith(expected)


@every_rule
def test_queue_has_its_policy_before_the_first_event(name: str) -> None:
    """EventBridge does not try again what a policy refuses."""
    depends = as_list(RULES[name].get("DependsOn", []))

    assert {policy_of(queue)[0] for queue in queues_of(name)} <= set(depends)


@every_rule
def test_what_cannot_be_delivered_is_kept_and_raises_an_alarm(name: str) -> None:
    """In its dead-letter queue; the queue of the last rule, which nobody works on, needs none."""
    queue = queues_of(name)[-1]
    metrics = Metrics()
    metrics.put(
        *VISIBLE, {"QueueName": resolve({"Fn::GetAtt": f"{queue}.QueueName"}, "prod")}, 0, 1
    )

    worked_on = {one for function in functions().values() for one in polled_by(function)}
    assert (len(queues_of(name)) == 2) is (queues_of(name)[0] in worked_on)
    assert QUEUES[queue]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    assert len(metrics.firing("prod", 60)) == 1


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_write_to_the_bucket(role: str) -> None:
    """What a function writes there could start it again, for ever."""
    actions = {
        action
        for statement in statements_of(role)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        if action.startswith("s3:")
    }

    assert actions <= {"s3:GetObject"}


@every_bucket
def test_bucket_is_private_versioned_and_cleaned_up(name: str) -> None:
    bucket = resources("AWS::S3::Bucket")[name]
    properties = bucket["Properties"]

    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    rules: dict[str, Any] = {}
    for rule in properties["LifecycleConfiguration"]["Rules"]:
        assert rule["Status"] == "Enabled"
        rules |= rule
    assert rules["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0
    assert rules["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0


@every_bucket
def test_bucket_refuses_what_is_not_sent_over_tls(name: str) -> None:
    [policy] = resources("AWS::S3::BucketPolicy").values()
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]

    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Resource"] == [
        {"Fn::GetAtt": f"{name}.Arn"},
        {"Fn::Sub": f"${{ "{{" }}{name}.Arn}}/*"},
    ]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
@pytest.mark.parametrize("name", STREAMS)
def test_failed_records_of_a_stream_are_reported_before_they_expire(
    name: str, environment: str
) -> None:
    """A stream of DynamoDB keeps its records for 24 hours.

    docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    """
    mapping = STREAMS[name]

    assert 0 < int(resolve(mapping["MaximumRecordAgeInSeconds"], environment)) < 86_400
    assert int(resolve(mapping["MaximumRetryAttempts"], environment)) > 0
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    [queue] = named(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    metrics = Metrics()
    metrics.put(
        *VISIBLE, {"QueueName": resolve({"Fn::GetAtt": f"{queue}.QueueName"}, "prod")}, 0, 1
    )
    assert len(metrics.firing("prod", 60)) == 1
