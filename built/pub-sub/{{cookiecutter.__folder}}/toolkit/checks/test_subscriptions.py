"""How topics deliver to queues: nothing is lost on the way, and nobody else delivers."""

import json
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.filters import combinations
from toolkit.template import named, resolve, resources, the_one

QUEUES = resources("AWS::SQS::Queue")
SUBSCRIPTIONS = {
    name: subscription["Properties"]
    for name, subscription in resources("AWS::SNS::Subscription").items()
    if subscription["Properties"]["Protocol"] == "sqs"
}
# docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
MOST_KEYS, MOST_COMBINATIONS, MOST_BYTES = 5, 150, 256 * 1024
VISIBLE = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
every_subscription = pytest.mark.parametrize("name", SUBSCRIPTIONS)


def queue_of(name: str) -> str:
    [queue] = named(SUBSCRIPTIONS[name]["Endpoint"])
    return queue


def dead_letter_queue_of(name: str) -> str:
    redrive = SUBSCRIPTIONS[name].get("RedrivePolicy")
    assert redrive, f"add to {name}: RedrivePolicy: {{ "{{" }} deadLetterTargetArn: … }}"
    [queue] = named(redrive["deadLetterTargetArn"])
    return queue


def test_each_subscription_has_a_queue_of_its_own() -> None:
    queues = [queue_of(name) for name in SUBSCRIPTIONS]

    assert queues
    assert len(queues) == len(set(queues))


@every_subscription
def test_messages_come_as_they_were_published(name: str) -> None:
    """Otherwise in an envelope, without the attributes that the worker reads."""
    assert SUBSCRIPTIONS[name].get("RawMessageDelivery") is True, (
        f"add to {name}: RawMessageDelivery: true"
    )


@every_subscription
def test_filter_says_what_it_looks_at_and_is_within_the_limits_of_sns(name: str) -> None:
    subscription = SUBSCRIPTIONS[name]
    policy = subscription.get("FilterPolicy")

    assert policy, f"add a FilterPolicy to {name}: without one it gets every message"
    assert subscription.get("FilterPolicyScope") == "MessageAttributes", (
        f"add to {name}: FilterPolicyScope: MessageAttributes"
    )
    assert len(policy) <= MOST_KEYS
    assert combinations(policy) <= MOST_COMBINATIONS
    assert len(json.dumps(policy)) <= MOST_BYTES


def allowed_on(queue: str) -> list[dict[str, Any]]:
    """What a queue's policies allow to others."""
    return [
        statement
        for policy in resources("AWS::SQS::QueuePolicy").values()
        if {"Ref": queue} in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


@pytest.mark.parametrize("end", [queue_of, dead_letter_queue_of])
@every_subscription
def test_each_queue_takes_messages_of_exactly_its_topic(name: str, end: Any) -> None:
    """SNS drops what it may not deliver, and what it may not put into the dead-letter queue."""
    queue = end(name)
    statement = the_one(
        allowed_on(queue), f"a statement that lets sns.amazonaws.com send to {queue}, and no other"
    )

    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert named(statement["Resource"]) == {queue}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": SUBSCRIPTIONS[name]["TopicArn"]}
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_each_queue_has_one_policy(queue: str) -> None:
    """A queue keeps the one that was put last: of two, the other is lost."""
    policies = resources("AWS::SQS::QueuePolicy").values()

    assert sum({"Ref": queue} in policy["Properties"]["Queues"] for policy in policies) == 1


@every_subscription
def test_queue_has_its_policy_before_the_first_message(name: str) -> None:
    """A message that SNS may not deliver goes to the dead-letter queue at once."""
    depends = resources("AWS::SNS::Subscription")[name].get("DependsOn", [])
    queues = {queue_of(name), dead_letter_queue_of(name)}
    needed = {
        policy
        for policy, found in resources("AWS::SQS::QueuePolicy").items()
        for queue in queues
        if {"Ref": queue} in found["Properties"]["Queues"]
    }

    assert needed <= set(depends), f"add to {name}: DependsOn: {sorted(needed)}"


@every_subscription
def test_what_cannot_be_delivered_goes_back_to_the_same_queue(name: str) -> None:
    """`make redrive` can move messages only from a dead-letter queue of an SQS queue.

    API reference of SQS, StartMessageMoveTask: "DLQs whose sources are non-SQS queues, such as
    Lambda or Amazon SNS topics, are not currently supported".
    """
    redrive = QUEUES[queue_of(name)]["Properties"]["RedrivePolicy"]

    assert named(redrive["deadLetterTargetArn"]) == {dead_letter_queue_of(name)}


@every_subscription
def test_what_cannot_be_delivered_raises_an_alarm(name: str) -> None:
    metrics = Metrics()
    dead_letters = resolve({"Fn::GetAtt": f"{dead_letter_queue_of(name)}.QueueName"}, "prod")
    metrics.put(*VISIBLE, {"QueueName": dead_letters}, 0, 1)

    assert len(metrics.firing("prod", 60)) == 1


@pytest.mark.parametrize(
    "metric",
    [
        "NumberOfNotificationsFilteredOut-NoMessageAttributes",
        "NumberOfNotificationsFilteredOut-InvalidAttributes",
        "NumberOfNotificationsFailedToRedriveToDlq",
    ],
)
def test_message_that_sns_drops_raises_an_alarm(metric: str) -> None:
    """docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html."""
    for topic in {name for one in SUBSCRIPTIONS.values() for name in named(one["TopicArn"])}:
        metrics = Metrics()
        dimensions = {"TopicName": resolve({"Fn::GetAtt": f"{topic}.TopicName"}, "prod")}
        metrics.put("AWS/SNS", metric, dimensions, 0, 1)

        assert len(metrics.firing("prod", 300)) == 1
