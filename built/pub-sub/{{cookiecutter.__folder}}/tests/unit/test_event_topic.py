"""Events are published whole, with the attributes that filters need; what failed is sent again."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from service.adapters.event_topic import EventTopic, NotPublishedError
from service.domain.shipments import EventType, ShipmentEvent
from toolkit.testing import AwsAnswers, Trace

EVENTS = [
    ShipmentEvent(f"event-{place}", EventType.SENT, "shipment-1", datetime(2026, 1, 31, tzinfo=UTC))
    for place in range(3)
]
CALLER = "arn:aws:sts::123456789012:assumed-role/carrier"


def failed(*places: int) -> dict[str, Any]:
    return {
        "Successful": [],
        "Failed": [
            {"Id": str(place), "Code": "InternalError", "SenderFault": False} for place in places
        ],
    }


def topic() -> EventTopic:
    return EventTopic(boto3.client("sns", region_name="eu-west-1"), "arn:topic")


def test_message_has_every_attribute_that_filters_and_subscribers_need(
    aws_answers: AwsAnswers,
) -> None:
    asked = aws_answers({"PublishBatch": [failed()]})

    topic().publish(CALLER, EVENTS[:1], "abc")

    [(_, call)] = asked
    [entry] = call["PublishBatchRequestEntries"]
    assert call["TopicArn"] == "arn:topic"
    assert entry["Message"] == EVENTS[0].to_json()
    assert json.loads(entry["Message"])["event_id"] == "event-0"
    assert entry["MessageAttributes"] == {
        "type": {"DataType": "String", "StringValue": "shipment.sent"},
        "caller": {"DataType": "String", "StringValue": CALLER},
        "correlation_id": {"DataType": "String", "StringValue": "abc"},
    }


def test_each_caller_is_a_message_group_of_its_own(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PublishBatch": [failed()]})

    for caller in (CALLER, CALLER, "x" * 2_000):
        topic().publish(caller, EVENTS[:1], "abc")

    groups = [call["PublishBatchRequestEntries"][0]["MessageGroupId"] for _, call in asked]
    assert groups[0] == groups[1] != groups[2]
    # SNS takes no more than 128 characters.
    assert {len(group) for group in groups} == {64}


def test_only_what_failed_is_sent_again(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PublishBatch": [failed(1), failed()]})

    topic().publish(CALLER, EVENTS, "abc")

    sent = [[entry["Id"] for entry in call["PublishBatchRequestEntries"]] for _, call in asked]
    assert sent == [["0", "1", "2"], ["1"]]


def test_what_stays_failed_is_named_with_its_reason(aws_answers: AwsAnswers) -> None:
    aws_answers({"PublishBatch": [failed(0, 2), failed(2)]})

    with pytest.raises(NotPublishedError) as error:
        topic().publish(CALLER, EVENTS, "abc")

    assert error.value.reasons == {"event-2": "InternalError"}


def test_publishing_is_traced(aws_answers: AwsAnswers, trace: Trace) -> None:
    aws_answers({"PublishBatch": [failed()]})

    topic().publish(CALLER, EVENTS, "abc")

    assert trace == {"## service.adapters.event_topic.EventTopic.publish": {}}
