"""Only events that the bus refused are sent again."""

from typing import Any

import pytest

from toolkit.runtime.event_bus import Bus
from toolkit.testing import AwsAnswers, Trace

EVENTS = [("kind", f'{{"n": {number}}}') for number in range(4)]
OK: dict[str, Any] = {"EventId": "1"}
THROTTLED = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}


def bus() -> Bus:
    import boto3

    return Bus(boto3.client("events", "eu-west-1"), "bus", "source")


def answer(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"FailedEntryCount": sum("ErrorCode" in e for e in entries), "Entries": list(entries)}


def sent(asked: list[tuple[str, dict[str, Any]]]) -> list[list[str]]:
    return [[entry["Detail"] for entry in call["Entries"]] for _, call in asked]


def test_all_go_to_the_bus_in_one_call(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PutEvents": [answer(OK, OK, OK, OK)]})

    assert bus().put(EVENTS) == {}

    [(_, call)] = asked
    assert call["Entries"][0] == {
        "EventBusName": "bus",
        "Source": "source",
        "DetailType": "kind",
        "Detail": '{"n": 0}',
    }
    assert len(call["Entries"]) == 4


def test_refused_events_alone_are_sent_again(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PutEvents": [answer(OK, THROTTLED, OK, THROTTLED), answer(OK, OK)]})

    assert bus().put(EVENTS) == {}
    assert sent(asked) == [[d for _, d in EVENTS], ['{"n": 1}', '{"n": 3}']]


def test_what_is_refused_to_the_end_is_told_with_its_cause(aws_answers: AwsAnswers) -> None:
    asked = aws_answers(
        {"PutEvents": [answer(OK, THROTTLED, OK, THROTTLED), answer(OK, THROTTLED)]}
    )

    assert bus().put(EVENTS) == {3: "ThrottlingException: later"}
    assert len(asked) == 2


def test_nothing_to_publish_is_no_call(aws_answers: AwsAnswers) -> None:
    asked = aws_answers({"PutEvents": [answer()]})

    assert bus().put([]) == {}
    assert asked == []


def test_publishing_is_traced(aws_answers: AwsAnswers, trace: Trace) -> None:
    aws_answers({"PutEvents": [answer(OK)]})

    bus().put(EVENTS[:1])

    assert trace == {"## toolkit.runtime.event_bus.Bus.put": {}}


@pytest.mark.parametrize("number", [11])
def test_more_than_ten_are_refused_by_the_api_itself(number: int) -> None:
    """So the mapping brings no more than ten: tests/template reads its BatchSize."""
    from botocore.session import get_session

    model = get_session().get_service_model("events")
    assert model.shape_for("PutEventsRequestEntryList").metadata["max"] < number
