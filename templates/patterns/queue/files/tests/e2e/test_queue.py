"""Each order is shipped once, or stands in the dead-letter queue with its cause."""

import contextlib
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.local_aws.stack import LocalAws, Stack
from toolkit.messages import delete, messages_in, waiting
from toolkit.signed_request import Answer, call

Eventually = Callable[[Callable[[], Any]], Any]
WRITE = "DynamoDB_20120810.TransactWriteItems"
REMEMBER, SEND = "DynamoDB_20120810.PutItem", "AmazonSQS.SendMessage"
DIED = "the function died or timed out: search its log for this id"


class Orders:
    """What tests do with the deployed stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
        self.queue = stack.outputs["QueueUrl"]
        self.dead_letter_queue = stack.outputs["DeadLetterQueueUrl"]
        self.sqs = stack.aws.client("sqs")
        self.dynamodb = stack.aws.client("dynamodb")

    def post(self, body: str, session: Any = None, **headers: str) -> Answer:
        aws = self.stack.aws
        session = session or aws.session
        return call("POST", self.url, body, headers=headers, session=session, verify=aws.ca)

    def fail(self, target: str, fault: Any, function: str, times: int = 1) -> None:
        self.stack.aws.fail(target, fault, times, function=f"{self.stack.name}-{function}")

    def send(self, *bodies: str) -> None:
        """Put messages into the queue, past the API, in batches."""
        for start in range(0, len(bodies), 10):
            batch = [
                {"Id": str(i), "MessageBody": body}
                for i, body in enumerate(bodies[start : start + 10])
            ]
            self.sqs.send_message_batch(QueueUrl=self.queue, Entries=batch)

    def shipments(self) -> Counter[str]:
        """How many shipments each order has."""
        return Counter(item["order_id"]["S"] for item in self.items())

    def items(self) -> list[dict[str, Any]]:
        """The shipments as they are stored."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.outputs["ShipmentsTable"], ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]

    def dead_letters(self) -> dict[str, str]:
        """Bodies in the dead-letter queue and their causes; taken out."""
        return {message["Body"]: cause_of(message) for message in self.taken_dead_letters()}

    def taken_dead_letters(self) -> list[Any]:
        """All messages in the dead-letter queue; taken out."""
        with messages_in(self.sqs, self.dead_letter_queue) as found:
            for message in found:
                delete(self.sqs, self.dead_letter_queue, message)
        return found

    def waiting(self) -> int:
        """Messages in the queue, those at work included."""
        return waiting(self.sqs, self.queue)


@pytest.fixture
def orders(stack: Stack) -> Iterator[Orders]:
    """The stack, with nothing left from the test before."""
    orders = Orders(stack)
    assert orders.waiting() == 0
    assert not orders.dead_letters()
    yield orders
    assert orders.waiting() == 0


def order(quantity: int = 1, order_id: str | None = None) -> str:
    order_id = order_id or uuid.uuid4().hex
    return json.dumps({"order_id": order_id, "sku": "teapot", "quantity": quantity})


def id_of(body: str) -> str:
    return str(json.loads(body)["order_id"])


def test_order_is_accepted_at_once_and_shipped_later(
    orders: Orders, eventually: Eventually
) -> None:
    body = order()

    answer = orders.post(body)

    assert (answer.status, answer.json) == (202, {"order_id": id_of(body), "status": "accepted"})
    eventually(lambda: orders.shipments()[id_of(body)] == 1)
    [item] = [item for item in orders.items() if item["order_id"]["S"] == id_of(body)]
    assert item.keys() == {"shipment_id", "caller", "order_id", "sku", "quantity", "created_at"}
    assert item["caller"] == {"S": "arn:aws:iam::123456789012:root"}
    assert (item["sku"], item["quantity"]) == ({"S": "teapot"}, {"N": "1"})
    eventually(lambda: orders.waiting() == 0)


def test_callers_correlation_id_reaches_the_worker(orders: Orders, eventually: Eventually) -> None:
    correlation = uuid.uuid4().hex

    orders.post(order(), **{"X-Correlation-Id": correlation})

    def messages_of(function: str) -> set[str]:
        events = orders.stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{orders.stack.name}-{function}"
        )["events"]
        texts = [event["message"] for event in events if event["message"].startswith("{")]
        lines = [json.loads(text) for text in texts]
        return {line["message"] for line in lines if line.get("correlation_id") == correlation}

    eventually(lambda: "accepted" in messages_of("Submit"))
    eventually(lambda: "shipped" in messages_of("Process"))
    eventually(lambda: orders.waiting() == 0)


@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        pytest.param("{", "JSON", id="not JSON"),
        pytest.param("[]", "object", id="not an object"),
        pytest.param('{"order_id": "a", "sku": "b"}', "quantity", id="a field is missing"),
        pytest.param('{"order_id": "a", "sku": "b", "quantity": "1"}', "quantity", id="a type"),
        pytest.param('{"order_id": "a", "sku": "b", "quantity": 1, "x": 1}', "'x'", id="unknown"),
    ],
)
def test_invalid_order_gets_400_with_the_reason(orders: Orders, body: str, mentions: str) -> None:
    answer = orders.post(body)

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert any(mentions in error for error in answer.json["errors"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ALMOST_ORDERS = st.fixed_dictionaries(
    {
        "order_id": st.uuids().map(str),
        "sku": st.just("teapot") | ANYTHING,
        "quantity": st.just(1) | ANYTHING,
    },
    optional={"unknown": ANYTHING},
)


def test_any_request_is_accepted_or_refused_with_a_reason(
    orders: Orders, eventually: Eventually
) -> None:
    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(st.text() | ANYTHING.map(json.dumps) | ALMOST_ORDERS.map(json.dumps))
    def post(body: str) -> None:
        answer = orders.post(body)
        if answer.status == 202:
            return
        assert answer.status in {400, 413, 415}
        assert answer.content_type == "application/problem+json"
        assert answer.json["title"]

    post()

    eventually(lambda: orders.waiting() == 0)
    assert not orders.dead_letters()


def test_unsigned_request_gets_403(orders: Orders) -> None:
    answer = call("POST", orders.url, order(), verify=orders.stack.aws.ca)

    assert (answer.status, answer.content_type) == (403, "application/problem+json")
    assert answer.json.keys() == {"type", "title"}


def test_duplicate_orders_ship_once_with_two_workers(
    orders: Orders, eventually: Eventually
) -> None:
    bodies = [order() for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: orders.send(*bodies), range(5)))

    eventually(lambda: orders.waiting() == 0)

    shipped = orders.shipments()
    assert {body: shipped[id_of(body)] for body in bodies} == dict.fromkeys(bodies, 1)
    assert not orders.dead_letters()


def test_poison_message_goes_to_the_dead_letter_queue_at_once(
    orders: Orders, eventually: Eventually
) -> None:
    good = [order() for _ in range(9)]
    poison = "this is no order"

    orders.send(poison, *good)

    eventually(lambda: orders.waiting() == 0)
    assert orders.dead_letters() == {poison: "PermanentError: the body must be JSON"}
    shipped = orders.shipments()
    assert all(shipped[id_of(body)] == 1 for body in good)


def test_different_order_with_a_used_id_gets_409(orders: Orders, eventually: Eventually) -> None:
    first = order(quantity=1)
    orders.post(first)

    answer = orders.post(order(quantity=2, order_id=id_of(first)))

    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    eventually(lambda: orders.shipments()[id_of(first)] == 1)
    eventually(lambda: orders.waiting() == 0)
    assert not orders.dead_letters()


def test_each_caller_has_its_own_order_ids(
    orders: Orders, eventually: Eventually, aws: LocalAws
) -> None:
    """Whatever its sessions are called, a role is one caller."""
    shop, again, other = (
        role_session(aws, orders.stack, *named)
        for named in (("shop", "one"), ("shop", "two"), ("other", "one"))
    )
    first = order(quantity=1)
    changed = order(quantity=2, order_id=id_of(first))

    answers = [
        orders.post(body, session).status
        for body, session in ((first, shop), (first, again), (changed, again), (changed, other))
    ]

    assert answers == [202, 202, 409, 202]
    eventually(lambda: orders.waiting() == 0)
    callers = {
        item["caller"]["S"]: item["quantity"]["N"]
        for item in orders.items()
        if item["order_id"]["S"] == id_of(first)
    }
    assert callers == {
        "arn:aws:sts::123456789012:assumed-role/shop": "1",
        "arn:aws:sts::123456789012:assumed-role/other": "2",
    }
    assert not orders.dead_letters()


def role_session(aws: LocalAws, stack: Stack, role: str, name: str) -> boto3.session.Session:
    """A session of a role that may send orders and do nothing else."""
    iam, arn = aws.client("iam"), f"arn:aws:iam::123456789012:role/{role}"
    anybody = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    api = f"arn:aws:execute-api:{aws.region}:123456789012:{stack.outputs['ApiId']}"
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{api}/v1/POST/orders"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName=role, PolicyName="orders", PolicyDocument=policy)
    got = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
    return boto3.session.Session(
        got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"], region_name=aws.region
    )


@pytest.mark.parametrize("target", [REMEMBER, SEND])
@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_while_accepting_an_order_lets_the_caller_retry(
    orders: Orders, eventually: Eventually, target: str, moment: str
) -> None:
    """Between record and queue as well: the record lets the same order in again."""
    body = order()
    orders.fail(target, moment, "Submit")

    assert orders.post(body).status == 502
    assert orders.post(body).status == 202

    eventually(lambda: orders.shipments()[id_of(body)] == 1)
    eventually(lambda: orders.waiting() == 0)
    assert orders.shipments()[id_of(body)] == 1
    assert not orders.dead_letters()


@pytest.mark.parametrize("target", [REMEMBER, SEND])
def test_throttling_gets_503_with_retry_after(
    orders: Orders, eventually: Eventually, target: str
) -> None:
    body = order()
    orders.fail(target, "throttle", "Submit", times=2)  # The SDK tries twice by itself.

    answer = orders.post(body)

    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1
    assert orders.post(body).status == 202
    eventually(lambda: orders.shipments()[id_of(body)] == 1)
    eventually(lambda: orders.waiting() == 0)


def test_different_order_with_a_used_id_goes_to_the_dead_letter_queue(
    orders: Orders, eventually: Eventually
) -> None:
    first = order(quantity=1)
    other = order(quantity=2, order_id=id_of(first))
    orders.send(first)
    eventually(lambda: orders.shipments()[id_of(first)] == 1)

    orders.send(other)

    eventually(lambda: orders.waiting() == 0)
    [(body, cause)] = orders.dead_letters().items()
    assert body == other
    assert cause == f"PermanentError: #{id_of(first)} was used before with other content"
    assert orders.shipments()[id_of(first)] == 1


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_in_a_batch_loses_and_repeats_nothing(
    orders: Orders, eventually: Eventually, moment: Any
) -> None:
    bodies = [order() for _ in range(10)]
    orders.stack.aws.fail(WRITE, moment)

    orders.send(*bodies)

    eventually(lambda: orders.waiting() == 0)
    shipped = orders.shipments()
    assert {body: shipped[id_of(body)] for body in bodies} == dict.fromkeys(bodies, 1)
    assert not orders.dead_letters()


def test_throttled_table_is_retried(orders: Orders, eventually: Eventually) -> None:
    body = order()
    # More than the SDK's own two attempts: the message is delivered again.
    orders.stack.aws.fail(WRITE, "throttle", times=3)

    orders.send(body)

    eventually(lambda: orders.waiting() == 0)
    assert orders.shipments()[id_of(body)] == 1
    assert not orders.dead_letters()


def test_last_attempt_keeps_the_cause_and_can_be_redriven(
    orders: Orders, eventually: Eventually
) -> None:
    body = order()
    attempts, calls_per_attempt = 3, 2
    orders.stack.aws.fail(WRITE, "throttle", times=attempts * calls_per_attempt)
    orders.send(body)
    eventually(lambda: orders.waiting() == 0)
    with messages_in(orders.sqs, orders.dead_letter_queue) as messages:
        [message] = messages
    assert "ThrottlingException" in cause_of(message)
    assert orders.shipments()[id_of(body)] == 0

    assert redrive(orders.sqs, orders.dead_letter_queue, orders.queue, pause=0.05) == 1

    eventually(lambda: orders.shipments()[id_of(body)] == 1)
    eventually(lambda: orders.waiting() == 0)
    assert not orders.dead_letters()


TYPED: dict[str, Any] = {
    "text": {"DataType": "String", "StringValue": "a"},
    "number": {"DataType": "Number", "StringValue": "1.5"},
    "number-of-a-kind": {"DataType": "Number.int", "StringValue": "7"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    "picture": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"},
}


@pytest.mark.parametrize("more", [0, 5], ids=["five attributes", "ten attributes"])
def test_dead_letter_keeps_its_attributes_through_redrives(
    orders: Orders, eventually: Eventually, more: int
) -> None:
    attributes = TYPED | {f"more-{number}": TYPED["text"] for number in range(more)}
    orders.sqs.send_message(
        QueueUrl=orders.queue, MessageBody="no order", MessageAttributes=attributes
    )
    eventually(lambda: orders.waiting() == 0)

    for _ in range(2):
        redrive(orders.sqs, orders.dead_letter_queue, orders.queue, pause=0.05)
        eventually(lambda: orders.waiting() == 0)

    [message] = orders.taken_dead_letters()
    found = message["MessageAttributes"]
    cause = found.pop("dead_letter_cause", None)
    assert (message["Body"], found) == ("no order", attributes)
    if more:
        assert cause is None
        logs = orders.stack.aws.client("logs").filter_log_events(
            logGroupName=orders.stack.outputs["ProcessLogGroup"],
            filterPattern=f'"{message["MessageId"]}"',
        )["events"]
        [line] = [json.loads(event["message"]) for event in logs]
        assert line["cause"] == "PermanentError: the body must be JSON"
    else:
        assert cause["StringValue"] == "PermanentError: the body must be JSON"


def test_redrive_ends_when_its_messages_come_back(orders: Orders, eventually: Eventually) -> None:
    poison = [f"no order {number}" for number in range(12)]
    orders.send(*poison)
    eventually(lambda: orders.waiting() == 0)

    redrive(orders.sqs, orders.dead_letter_queue, orders.queue, pause=0.05)

    eventually(lambda: orders.waiting() == 0)
    assert orders.dead_letters().keys() == set(poison)


def test_old_cause_is_not_shown_after_a_crash(orders: Orders, eventually: Eventually) -> None:
    body = order()
    orders.stack.aws.fail(WRITE, "throttle", times=6)
    orders.send(body)
    eventually(lambda: orders.waiting() == 0)
    orders.stack.aws.fail(WRITE, "crash before", times=3)

    redrive(orders.sqs, orders.dead_letter_queue, orders.queue, pause=0.05)

    eventually(lambda: orders.waiting() == 0)
    [message] = orders.taken_dead_letters()
    assert "Throttling" in message["MessageAttributes"]["dead_letter_cause"]["StringValue"]
    assert cause_of(message) == DIED


def test_message_that_always_crashes_the_function_is_moved_by_the_redrive_policy(
    orders: Orders, eventually: Eventually
) -> None:
    body = order()
    orders.stack.aws.fail(WRITE, "crash before", times=3)

    orders.send(body)

    eventually(lambda: orders.waiting() == 0)
    assert orders.dead_letters() == {body: DIED}


def test_queues_refuse_requests_without_tls(orders: Orders) -> None:
    """The local AWS listens on TLS alone, so there is no plain request to try: see the policy."""
    policy = orders.sqs.get_queue_attributes(QueueUrl=orders.queue, AttributeNames=["Policy"])
    [statement] = json.loads(policy["Attributes"]["Policy"])["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
