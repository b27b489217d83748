"""The local SNS delivers as AWS's: by filters, in message groups, and to dead-letter queues."""

import json
import uuid
from typing import Any

import pytest

from tests.unit.toolkit.test_filters import KEYS, VALUES
from toolkit.local_aws.stack import LocalAws
from toolkit.messages import arn_of, messages_in


class Topic:
    """A topic with one subscription, to a queue that has a dead-letter queue."""

    def __init__(self, aws: LocalAws, filter_policy: Any = None) -> None:
        self.sns, self.sqs = aws.client("sns"), aws.client("sqs")
        self.arn = self.sns.create_topic(Name=uuid.uuid4().hex)["TopicArn"]
        self.queue, self.dead_letters = self.made_queue(), self.made_queue()
        redrive = {"deadLetterTargetArn": arn_of(self.sqs, self.dead_letters)}
        attributes = {"RawMessageDelivery": "true", "RedrivePolicy": json.dumps(redrive)}
        if filter_policy:
            attributes["FilterPolicy"] = json.dumps(filter_policy)
        self.sns.subscribe(
            TopicArn=self.arn,
            Protocol="sqs",
            Endpoint=arn_of(self.sqs, self.queue),
            Attributes=attributes,
        )

    def made_queue(self) -> str:
        url: str = self.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
        self.let_in(url, self.arn)
        return url

    def let_in(self, queue: str, topic: str) -> None:
        """Let one topic send to a queue, and no other."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn_of(self.sqs, queue),
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})

    def publish(self, attributes: Any = None) -> None:
        self.sns.publish(TopicArn=self.arn, Message="body", MessageAttributes=attributes or {})

    def bodies(self, queue: str) -> list[str]:
        with messages_in(self.sqs, queue) as messages:
            return [message["Body"] for message in messages]


def without_empty(message: Any) -> bool:
    """SNS refuses to publish an empty value, so no filter sees one."""
    return all(one.get("StringValue", "-") for one in message.values())


FILTERED = [
    *(({"key": rules}, {"key": attribute}, accepted) for rules, attribute, accepted in VALUES),
    *(
        ({"store": [{"exists": expected}]}, message, accepted)
        for expected, message, accepted in KEYS
        if without_empty(message)
    ),
]
# What ministack compares otherwise, and no filter here asks for: text as a number, and null.
OTHERWISE = [
    [{"numeric": [">", 0]}],
    [None],
]


@pytest.mark.parametrize(
    ("policy", "attributes", "accepted"),
    [row for row in FILTERED if row[0].get("key") not in OTHERWISE],
)
def test_filters_of_the_local_sns_accept_what_the_guide_says(
    aws: LocalAws, policy: Any, attributes: Any, accepted: bool
) -> None:
    topic = Topic(aws, policy)

    topic.publish(attributes)

    assert topic.bodies(topic.queue) == ["body"] * accepted


def test_message_that_the_queue_does_not_let_in_goes_to_the_dead_letter_queue(
    aws: LocalAws,
) -> None:
    topic = Topic(aws)
    topic.let_in(topic.queue, "arn:aws:sns:eu-west-1:123456789012:other")

    topic.publish()

    assert (topic.bodies(topic.queue), topic.bodies(topic.dead_letters)) == ([], ["body"])


def test_message_whose_queue_is_gone_goes_to_the_dead_letter_queue(aws: LocalAws) -> None:
    topic = Topic(aws)
    topic.sqs.delete_queue(QueueUrl=topic.queue)

    topic.publish({"kind": {"DataType": "String", "StringValue": "a"}})

    with messages_in(topic.sqs, topic.dead_letters) as messages:
        [message] = messages
    assert message["MessageAttributes"]["kind"]["StringValue"] == "a"


def test_message_that_neither_lets_in_is_lost(aws: LocalAws) -> None:
    topic = Topic(aws)
    for queue in (topic.queue, topic.dead_letters):
        topic.let_in(queue, "arn:aws:sns:eu-west-1:123456789012:other")

    topic.publish()

    assert topic.bodies(topic.queue) == topic.bodies(topic.dead_letters) == []


def test_filtered_message_goes_to_no_dead_letter_queue(aws: LocalAws) -> None:
    topic = Topic(aws, {"kind": ["a"]})

    topic.publish({"kind": {"DataType": "String", "StringValue": "b"}})

    assert topic.bodies(topic.queue) == topic.bodies(topic.dead_letters) == []


def test_message_groups_of_a_batch_reach_the_queue(aws: LocalAws) -> None:
    topic = Topic(aws)

    topic.sns.publish_batch(
        TopicArn=topic.arn,
        PublishBatchRequestEntries=[
            {"Id": "0", "Message": "grouped", "MessageGroupId": "a-caller"},
            {"Id": "1", "Message": "not grouped"},
        ],
    )

    with messages_in(topic.sqs, topic.queue) as messages:
        groups = {one["Body"]: one["Attributes"].get("MessageGroupId") for one in messages}
    assert groups == {"grouped": "a-caller", "not grouped": None}
