"""Each event reaches who wants it, and takes effect once there; each subscriber fails alone."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.template.routing import ROUTES, of_type
from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.local_aws.stack import Stack
from toolkit.messages import delete, messages_in, visible, waiting
from toolkit.signed_request import Answer, call

Eventually = Callable[[Callable[[], Any]], Any]
SUBSCRIBERS = ("Track", "Notify", "Unrouted")
PUT, WRITE = "DynamoDB_20120810.PutItem", "DynamoDB_20120810.TransactWriteItems"
NOON = "2026-01-31T12:00:00Z"


class Events:
    """What tests do with the deployed stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/shipments"
        self.topic = stack.outputs["TopicArn"]
        self.sns, self.sqs = stack.aws.client("sns"), stack.aws.client("sqs")

    def post(self, body: Any, **headers: str) -> Answer:
        aws = self.stack.aws
        text = body if isinstance(body, str) else json.dumps(body)
        return call("POST", self.url, text, headers=headers, session=aws.session, verify=aws.ca)

    def publish(self, body: str, attributes: dict[str, Any]) -> None:
        """Past the API, straight to the topic."""
        self.sns.publish(TopicArn=self.topic, Message=body, MessageAttributes=attributes)

    def fail(self, target: str | None, fault: Any, function: str, times: int = 1) -> None:
        self.stack.aws.fail(target, fault, times, function=f"{self.stack.name}-{function}")

    def queue(self, subscriber: str) -> str:
        return self.stack.outputs[f"{subscriber}QueueUrl"]

    def dead_letter_queue(self, subscriber: str) -> str:
        return self.stack.outputs[f"{subscriber}DeadLetterQueueUrl"]

    def redrive(self, subscriber: str) -> int:
        """What `make redrive` does for each subscriber."""
        ends = self.dead_letter_queue(subscriber), self.queue(subscriber)
        return redrive(self.sqs, *ends, pause=0.05)

    def dead_letters(self) -> dict[str, dict[str, str]]:
        """Bodies in the dead-letter queues and their causes, by subscriber; taken out."""
        return {name: found for name in SUBSCRIBERS if (found := self._taken_from(name))}

    def _taken_from(self, subscriber: str) -> dict[str, str]:
        url = self.dead_letter_queue(subscriber)
        with messages_in(self.sqs, url) as messages:
            for message in messages:
                delete(self.sqs, url, message)
        return {message["Body"]: cause_of(message) for message in messages}

    def waiting(self) -> int:
        """Messages in all queues, those at work included."""
        return sum(waiting(self.sqs, self.queue(name)) for name in SUBSCRIBERS)

    def status(self, shipment_id: str) -> dict[str, str]:
        """What is stored of a shipment."""
        found = [one for one in self._items("ShipmentsTable") if one["shipment_id"] == shipment_id]
        return found[0] if found else {}

    def notified(self) -> Counter[str]:
        """How many notifications each event has."""
        return Counter(item["event_id"] for item in self._items("NotificationsTable"))

    def _items(self, table: str) -> list[dict[str, str]]:
        pages = self.stack.aws.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.outputs[table], ConsistentRead=True)
        return [
            {name: str(*value.values()) for name, value in item.items()}
            for page in found
            for item in page["Items"]
        ]


class Mapping:
    """What polls the queue of a subscriber for its function."""

    def __init__(self, stack: Stack, subscriber: str) -> None:
        self._lambda = stack.aws.client("lambda")
        found = self._lambda.list_event_source_mappings()["EventSourceMappings"]
        [self._id] = [
            one["UUID"] for one in found if f":{stack.name}-{subscriber}:" in one["FunctionArn"]
        ]

    @contextmanager
    def off(self, eventually: Eventually) -> Iterator[None]:
        """While it is off, the subscriber is down."""
        self._switch("Disabled", eventually)
        try:
            yield
        finally:
            self._switch("Enabled", eventually)

    def _switch(self, state: str, eventually: Eventually) -> None:
        self._lambda.update_event_source_mapping(UUID=self._id, Enabled=state == "Enabled")
        eventually(lambda: self._lambda.get_event_source_mapping(UUID=self._id)["State"] == state)


@pytest.fixture
def events(stack: Stack) -> Iterator[Events]:
    """The stack, with nothing left from the test before."""
    events = Events(stack)
    assert events.waiting() == 0
    assert not events.dead_letters()
    yield events
    assert events.waiting() == 0


def event(kind: str = "delayed", **fields: str) -> dict[str, str]:
    made = {"event_id": uuid.uuid4().hex, "type": f"shipment.{kind}"}
    return made | {"shipment_id": uuid.uuid4().hex, "occurred_at": NOON} | fields


def test_event_is_accepted_at_once_and_reaches_each_subscriber(
    events: Events, eventually: Eventually
) -> None:
    delayed = event()

    answer = events.post(delayed)

    assert answer.status == 202
    assert answer.json == {"event_ids": [delayed["event_id"]], "status": "accepted"}
    eventually(lambda: events.status(delayed["shipment_id"]).get("status") == "delayed")
    eventually(lambda: events.notified()[delayed["event_id"]] == 1)
    eventually(lambda: events.waiting() == 0)


def test_list_of_events_is_published_at_once(events: Events, eventually: Eventually) -> None:
    given = [event("delayed" if place % 2 else "sent") for place in range(10)]

    assert events.post(given).status == 202

    eventually(lambda: events.waiting() == 0)
    assert all(events.status(one["shipment_id"]) for one in given)
    notified = events.notified()
    assert [notified[one["event_id"]] for one in given] == [0, 1] * 5


@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        pytest.param("{", "JSON", id="not JSON"),
        pytest.param("[]", "1 to 10", id="empty list"),
        pytest.param([event() for _ in range(11)], "1 to 10", id="eleven events"),
        pytest.param(event("mislaid"), "shipment.sent", id="unknown type"),
        pytest.param([event(), event(occurred_at="12:00")], "[1]: occurred_at", id="second one"),
        pytest.param(event(occurred_at="2999-01-01T00:00:00Z"), "future", id="clock far off"),
    ],
)
def test_invalid_events_get_400_with_the_reason(events: Events, body: Any, mentions: str) -> None:
    answer = events.post(body)

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert any(mentions in error for error in answer.json["errors"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ALMOST_EVENTS = st.fixed_dictionaries(
    {
        "event_id": st.uuids().map(str),
        "type": st.just("shipment.sent") | ANYTHING,
        "shipment_id": st.uuids().map(str),
        "occurred_at": st.datetimes().map(str) | st.just(NOON) | ANYTHING,
    },
    optional={"unknown": ANYTHING},
)


def test_any_request_is_accepted_or_refused_with_a_reason(
    events: Events, eventually: Eventually
) -> None:
    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(st.text() | ANYTHING.map(json.dumps) | ALMOST_EVENTS.map(json.dumps))
    def post(body: str) -> None:
        answer = events.post(body)
        if answer.status == 202:
            return
        assert answer.status in {400, 413, 415}
        assert answer.content_type == "application/problem+json"
        assert answer.json["title"]

    post()

    eventually(lambda: events.waiting() == 0)
    assert not events.dead_letters()


def test_unsigned_request_gets_403(events: Events) -> None:
    answer = call("POST", events.url, json.dumps(event()), verify=events.stack.aws.ca)

    assert (answer.status, answer.content_type) == (403, "application/problem+json")


def test_callers_correlation_id_reaches_each_subscriber(
    events: Events, eventually: Eventually
) -> None:
    correlation = uuid.uuid4().hex

    events.post(event(), **{"X-Correlation-Id": correlation})

    def messages_of(function: str) -> set[str]:
        found = events.stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{events.stack.name}-{function}"
        )["events"]
        lines = [json.loads(one["message"]) for one in found if one["message"].startswith("{")]
        return {line["message"] for line in lines if line.get("correlation_id") == correlation}

    eventually(lambda: "published" in messages_of("Publish"))
    eventually(lambda: "tracked" in messages_of("Track"))
    eventually(lambda: "notified" in messages_of("Notify"))
    eventually(lambda: events.waiting() == 0)


def test_each_message_reaches_the_subscribers_in_the_table(
    events: Events, eventually: Eventually
) -> None:
    """Each is no event, so that each subscriber that gets it sets it aside."""
    for name, (attributes, _) in ROUTES.items():
        events.publish(name, attributes)

    eventually(lambda: events.waiting() == 0)
    reached = events.dead_letters()
    assert {
        name: {subscriber for subscriber, bodies in reached.items() if name in bodies}
        for name in ROUTES
    } == {name: subscribers for name, (_, subscribers) in ROUTES.items()}
    assert reached["Unrouted"]["no type"] == "no subscription wants a message without a type"


def test_repeated_events_take_effect_once_at_each_subscriber(
    events: Events, eventually: Eventually
) -> None:
    given = [event() for _ in range(5)]
    for _ in range(4):
        assert events.post(given).status == 202

    eventually(lambda: events.waiting() == 0)
    notified = events.notified()
    assert [notified[one["event_id"]] for one in given] == [1] * 5
    assert not events.dead_letters()


def test_newest_event_stays_in_whichever_order_they_arrive(
    events: Events, eventually: Eventually
) -> None:
    shipment = {"shipment_id": uuid.uuid4().hex}
    for kind, hour in (("sent", 9), ("delivered", 17), ("delayed", 12)):
        events.post(event(kind, **shipment, occurred_at=f"2026-01-31T{hour:02}:00:00Z"))
        eventually(lambda: events.waiting() == 0)

    assert events.status(shipment["shipment_id"])["status"] == "delivered"


def test_different_event_with_a_used_id_is_not_taken_for_the_first(
    events: Events, eventually: Eventually
) -> None:
    first = event()
    events.post(first)
    eventually(lambda: events.notified()[first["event_id"]] == 1)

    events.post(event(event_id=first["event_id"]))

    eventually(lambda: events.waiting() == 0)
    [cause] = events.dead_letters()["Notify"].values()
    assert "was used before with other content" in cause
    assert events.notified()[first["event_id"]] == 1


@pytest.mark.parametrize("fault", ["crash before", "crash after"])
def test_crash_while_publishing_lets_the_caller_retry(
    events: Events, eventually: Eventually, fault: Any
) -> None:
    delayed = event()
    events.fail(None, fault, "Publish")

    assert events.post(delayed).status == 502
    assert events.post(delayed).status == 202

    eventually(lambda: events.waiting() == 0)
    assert events.notified()[delayed["event_id"]] == 1


def test_throttling_gets_503_with_retry_after(events: Events, eventually: Eventually) -> None:
    events.fail(None, "throttle", "Publish", times=2)  # The SDK tries twice by itself.

    answer = events.post(event())

    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("target", [PUT, WRITE], ids=["Track", "Notify"])
@pytest.mark.parametrize("fault", ["crash before", "crash after"])
def test_crash_in_a_batch_loses_and_repeats_nothing(
    events: Events, eventually: Eventually, target: str, fault: Any
) -> None:
    given = [event() for _ in range(10)]
    events.stack.aws.fail(target, fault)

    events.post(given)

    eventually(lambda: events.waiting() == 0)
    notified = events.notified()
    assert [notified[one["event_id"]] for one in given] == [1] * 10
    assert all(events.status(one["shipment_id"]) for one in given)
    assert not events.dead_letters()


def test_subscriber_that_is_down_keeps_its_events_and_delays_no_other(
    events: Events, eventually: Eventually
) -> None:
    mapping = Mapping(events.stack, "Track")
    delayed = event()
    with mapping.off(eventually):
        events.post(delayed)
        eventually(lambda: events.notified()[delayed["event_id"]] == 1)
        eventually(lambda: visible(events.sqs, events.queue("Track")) == 1)
        eventually(lambda: waiting(events.sqs, events.queue("Notify")) == 0)
        assert not events.status(delayed["shipment_id"])

    eventually(lambda: events.status(delayed["shipment_id"]).get("status") == "delayed")
    eventually(lambda: events.waiting() == 0)
    assert not events.dead_letters()


@pytest.mark.parametrize(("target", "name"), [(PUT, "Track"), (WRITE, "Notify")])
def test_one_subscriber_fails_alone(
    events: Events, eventually: Eventually, target: str, name: str
) -> None:
    """Its dead letters go back to it, and to no other."""
    delayed = event()
    attempts, calls_per_attempt = 3, 2
    events.fail(target, "throttle", name, times=attempts * calls_per_attempt)
    events.post(delayed)
    eventually(lambda: events.waiting() == 0)
    assert bool(events.status(delayed["shipment_id"])) == (name != "Track")
    assert events.notified()[delayed["event_id"]] == (name != "Notify")
    with messages_in(events.sqs, events.dead_letter_queue(name)) as messages:
        [message] = messages
    assert "ThrottlingException" in cause_of(message)

    assert [events.redrive(one) for one in SUBSCRIBERS] == [int(one == name) for one in SUBSCRIBERS]

    eventually(lambda: events.waiting() == 0)
    assert events.status(delayed["shipment_id"])["status"] == "delayed"
    assert events.notified()[delayed["event_id"]] == 1
    assert not events.dead_letters()


def test_poison_for_one_subscriber_is_in_its_dead_letter_queue_alone(
    events: Events, eventually: Eventually
) -> None:
    good = [event("sent") for _ in range(9)]

    events.publish("this is no event", of_type("shipment.sent"))
    events.post(good)

    eventually(lambda: events.waiting() == 0)
    assert events.dead_letters() == {
        "Track": {"this is no event": "PermanentError: the body must be JSON"}
    }
    assert all(events.status(one["shipment_id"]) for one in good)


@pytest.mark.parametrize("name", ["Track", "Notify"])
def test_message_that_cannot_be_delivered_waits_in_the_dead_letter_queue(
    events: Events, eventually: Eventually, name: str
) -> None:
    """Somebody broke the policy of a subscriber's queue: SNS may not deliver any more."""
    queue, delayed = events.queue(name), event()
    found = events.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    policy = json.loads(found["Attributes"]["Policy"])
    tls_only = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    broken = json.dumps(policy | {"Statement": tls_only})
    events.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": broken})
    try:
        events.post(delayed)
        eventually(lambda: visible(events.sqs, events.dead_letter_queue(name)) == 1)
    finally:
        events.sqs.set_queue_attributes(QueueUrl=queue, Attributes=found["Attributes"])
    with messages_in(events.sqs, events.dead_letter_queue(name)) as messages:
        assert [cause_of(one) for one in messages] == [
            "no function had it: it could not be delivered to the queue"
        ]

    assert events.redrive(name) == 1

    eventually(lambda: events.waiting() == 0)
    assert events.status(delayed["shipment_id"])["status"] == "delayed"
    assert events.notified()[delayed["event_id"]] == 1
    assert not events.dead_letters()


def test_other_topics_cannot_deliver_to_a_subscriber(
    events: Events, eventually: Eventually
) -> None:
    other = events.sns.create_topic(Name=uuid.uuid4().hex)["TopicArn"]
    attributes = events.sqs.get_queue_attributes(
        QueueUrl=events.queue("Track"), AttributeNames=["QueueArn"]
    )["Attributes"]
    events.sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=attributes["QueueArn"])

    events.sns.publish(TopicArn=other, Message="from another topic")
    events.post(event("sent"))

    eventually(lambda: events.waiting() == 0)
    assert not events.dead_letters()


def test_redrive_of_what_nobody_wants_brings_it_back(
    events: Events, eventually: Eventually
) -> None:
    events.publish("mislaid", of_type("shipment.mislaid"))
    eventually(lambda: visible(events.sqs, events.dead_letter_queue("Unrouted")) == 1)
    eventually(lambda: events.waiting() == 0)

    events.redrive("Unrouted")

    eventually(lambda: events.waiting() == 0)
    assert events.dead_letters() == {
        "Unrouted": {"mislaid": "no subscription wants the type shipment.mislaid"}
    }


def test_callers_are_kept_apart_in_the_queues(events: Events, eventually: Eventually) -> None:
    """By message group, for SQS's fair queues."""
    with Mapping(events.stack, "Track").off(eventually):
        events.post(event("sent"))
        eventually(lambda: visible(events.sqs, events.queue("Track")) == 1)
        with messages_in(events.sqs, events.queue("Track")) as messages:
            [message] = messages
        assert len(message["Attributes"]["MessageGroupId"]) == 64
        assert message["MessageAttributes"].keys() == {"type", "caller", "correlation_id"}
    eventually(lambda: events.waiting() == 0)
