"""Each signed delivery takes effect once, or stands in the dead-letter queue with its cause."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.domain.deliveries import LARGEST_BODY, parse_delivery
from toolkit.commands.dead_letters import cause_of, redrive
from toolkit.commands.secret import add
from toolkit.local_aws.stack import Stack
from toolkit.messages import delete, messages_in, waiting
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.signatures import TOLERANCE_SECONDS
from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign
from toolkit.signed_request import Answer, call

Eventually = Callable[[Callable[[], Any]], Any]
WRITE = "DynamoDB_20120810.TransactWriteItems"
CLAIM, QUEUED = "DynamoDB_20120810.PutItem", "DynamoDB_20120810.UpdateItem"
SEND, READ_SECRET = "AmazonSQS.SendMessage", "secretsmanager.GetSecretValue"
DIED = "the function died or timed out: search its log for this id"
CANARY = "canary-6b1f"


class Webhook:
    """What tests do with the deployed stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/webhooks"
        self.queue = stack.outputs["QueueUrl"]
        self.dead_letter_queue = stack.outputs["DeadLetterQueueUrl"]
        self.sqs = stack.aws.client("sqs")
        self.scheme = scheme_of_template()

    def add_secret(self, value: str, overlap: int = 3_600) -> None:
        secretsmanager, arn = (
            self.stack.aws.client("secretsmanager"),
            self.stack.outputs["SecretArn"],
        )
        add(secretsmanager, arn, value, int(time.time()), overlap)

    def cold(self, body: bytes, value: str) -> int:
        """The status of a delivery to an environment that has read no secret yet.

        It is one of the unpublished version: the API calls another one, and a change of the
        configuration ends those that run.
        """
        awslambda, name = self.stack.aws.client("lambda"), f"{self.stack.name}-Receive"
        memory = awslambda.get_function_configuration(FunctionName=name)["MemorySize"]
        awslambda.update_function_configuration(FunctionName=name, MemorySize=memory + 1)
        several = {name: [given] for name, given in self.signed(body, value).items()}
        request = {
            "body": body.decode(),
            "multiValueHeaders": {"Content-Type": ["application/json"], **several},
            "requestContext": {"requestId": "request"},
        }
        answer = awslambda.invoke(FunctionName=name, Payload=json.dumps(request))
        return int(json.loads(answer["Payload"].read())["statusCode"])

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        return call("POST", self.url, body, headers=headers, verify=self.stack.aws.ca)

    def signed(self, body: bytes, value: str = LOCAL_VALUE, away: int = 0) -> dict[str, str]:
        return sign(self.scheme, value, id_of(body), body, int(time.time()) + away)

    def deliver(self, body: bytes, value: str = LOCAL_VALUE, away: int = 0) -> int:
        return self.post(body, self.signed(body, value, away)).status

    def fail(self, target: str, fault: Any, function: str = "Receive", times: int = 1) -> None:
        self.stack.aws.fail(target, fault, times, function=f"{self.stack.name}-{function}")

    def payment(self, payment_id: str) -> dict[str, Any]:
        """A payment as it is stored; nothing if it is not."""
        found = self.stack.aws.client("dynamodb").get_item(
            TableName=self.stack.outputs["PaymentsTable"],
            Key={"payment_id": {"S": payment_id}},
            ConsistentRead=True,
        )
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def dead_letters(self) -> dict[str, str]:
        """Bodies in the dead-letter queue and their causes; taken out."""
        with messages_in(self.sqs, self.dead_letter_queue) as found:
            for message in found:
                delete(self.sqs, self.dead_letter_queue, message)
        return {body_of(message["Body"]): cause_of(message) for message in found}

    def waiting(self) -> int:
        """Messages in the queue, those at work included."""
        return waiting(self.sqs, self.queue)

    def log_lines(self, function: str) -> list[dict[str, Any]]:
        events = self.stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{self.stack.name}-{function}"
        )["events"]
        texts = [event["message"] for event in events if event["message"].startswith("{")]
        return [json.loads(text) for text in texts]

    def times_queued(self, delivery_id: str) -> int:
        lines = self.log_lines("Receive")
        return sum(
            (line.get("message"), line.get("delivery_id")) == ("accepted", delivery_id)
            for line in lines
        )


@pytest.fixture
def webhook(stack: Stack) -> Iterator[Webhook]:
    """The stack with a secret, and with nothing left from the test before."""
    webhook = Webhook(stack)
    webhook.add_secret(LOCAL_VALUE)
    assert webhook.waiting() == 0
    assert not webhook.dead_letters()
    yield webhook
    assert webhook.waiting() == 0


def event(kind: str = "payment.paid", created: int = 100, **data: Any) -> bytes:
    payment = {"payment_id": uuid.uuid4().hex, "amount": 1250, "currency": "EUR", **data}
    fields = {"id": uuid.uuid4().hex, "type": kind, "created": created, "data": payment}
    return json.dumps(fields).encode()


def id_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["id"])
    except (ValueError, TypeError, KeyError):
        return uuid.uuid4().hex


def payment_id_of(body: bytes) -> str:
    return str(json.loads(body)["data"]["payment_id"])


def body_of(message: str) -> str:
    try:
        return parse_delivery(message).body.decode("latin-1")
    except InvalidFieldsError:
        return message


def another_value() -> str:
    return "whsec_" + base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def test_signed_delivery_is_accepted_at_once_and_stored_later(
    webhook: Webhook, eventually: Eventually
) -> None:
    body = event()

    answer = webhook.post(body, webhook.signed(body))

    assert (answer.status, answer.json) == (202, {"status": "accepted"})
    found = eventually(lambda: webhook.payment(payment_id_of(body)))
    assert found == {
        "payment_id": payment_id_of(body),
        "status": "paid",
        "amount": "1250",
        "currency": "EUR",
        "position": "10000",
        "delivery_id": id_of(body),
    }
    eventually(lambda: webhook.waiting() == 0)


def test_correlation_id_reaches_the_worker(webhook: Webhook, eventually: Eventually) -> None:
    correlation, body = uuid.uuid4().hex, event()

    webhook.post(body, {**webhook.signed(body), "X-Correlation-Id": correlation})

    def messages_of(function: str) -> set[str]:
        lines = webhook.log_lines(function)
        return {line["message"] for line in lines if line.get("correlation_id") == correlation}

    eventually(lambda: "accepted" in messages_of("Receive"))
    eventually(lambda: "stored" in messages_of("Process"))
    eventually(lambda: webhook.waiting() == 0)


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        pytest.param(b"\r\n\t \n", None, id="white space"),
        pytest.param(b"\xff\xfe", "PermanentError: the payload must be JSON", id="invalid UTF-8"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_bytes_come_through_as_they_were_signed(
    webhook: Webhook, eventually: Eventually, end: bytes, cause: str | None, content_type: str
) -> None:
    """What is a text to API Gateway would lose bytes that are no UTF-8."""
    if webhook.scheme == "stripe" and cause:
        pytest.skip("Stripe's id is in the JSON")
    body = event() + end
    headers = sign(webhook.scheme, LOCAL_VALUE, uuid.uuid4().hex, body, int(time.time()))

    answer = webhook.post(body, {**headers, "Content-Type": content_type})

    assert answer.status == 202
    eventually(lambda: webhook.waiting() == 0)
    expected = {body.decode("latin-1"): cause} if cause else {}
    assert webhook.dead_letters() == expected


def test_forged_delivery_gets_401_and_is_not_queued(webhook: Webhook) -> None:
    body = event()
    good = webhook.signed(body)
    forged = [
        webhook.post(body, {}),
        webhook.post(body + b" ", good),
        webhook.post(body.replace(b"1250", b"9999"), good),
        webhook.post(body, webhook.signed(body, another_value())),
        *(webhook.post(body, {**good, name: "x"}) for name in list(good)[-1:]),
        *(webhook.post(body, {k: v for k, v in good.items() if k != name}) for name in good),
    ]

    assert {(answer.status, answer.content_type) for answer in forged} == {
        (401, "application/problem+json")
    }
    assert len({answer.body for answer in forged}) == 1
    assert webhook.waiting() == 0
    assert webhook.payment(payment_id_of(body)) == {}
    assert webhook.times_queued(id_of(body)) == 0


@pytest.mark.skipif(scheme_of_template() == "github", reason="GitHub signs no time")
@pytest.mark.parametrize("direction", [-1, 1], ids=["past", "future"])
def test_old_delivery_gets_401(webhook: Webhook, eventually: Eventually, direction: int) -> None:
    body = event()

    # Far enough from the edge for a slow machine; the unit tests are at the edge itself.
    assert webhook.deliver(body, away=direction * (TOLERANCE_SECONDS + 120)) == 401
    assert webhook.deliver(body, away=direction * (TOLERANCE_SECONDS - 120)) == 202
    eventually(lambda: webhook.waiting() == 0)


def test_same_delivery_twice_is_queued_once(webhook: Webhook, eventually: Eventually) -> None:
    body = event()

    assert [webhook.deliver(body), webhook.deliver(body)] == [202, 202]

    eventually(lambda: webhook.payment(payment_id_of(body)))
    eventually(lambda: webhook.waiting() == 0)
    eventually(lambda: webhook.times_queued(id_of(body)) == 1)


def test_concurrent_duplicates_take_effect_once(webhook: Webhook, eventually: Eventually) -> None:
    bodies = [event() for _ in range(5)]
    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(webhook.deliver, bodies * 4))

    assert statuses == {202}
    eventually(lambda: webhook.waiting() == 0)
    stored = [
        line["delivery_id"]
        for line in webhook.log_lines("Process")
        if line.get("message") == "stored"
    ]
    eventually(lambda: all(webhook.payment(payment_id_of(body)) for body in bodies))
    assert [stored.count(id_of(body)) for body in bodies] == [1] * len(bodies)
    assert not webhook.dead_letters()


def test_same_id_with_another_body_gets_409(webhook: Webhook, eventually: Eventually) -> None:
    body = event(amount=1)
    assert webhook.deliver(body) == 202

    other = body.replace(b'"amount": 1', b'"amount": 2')
    answer = webhook.post(other, webhook.signed(other))

    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    eventually(lambda: webhook.payment(payment_id_of(body)).get("amount") == "1")
    eventually(lambda: webhook.waiting() == 0)
    assert not webhook.dead_letters()


@pytest.mark.parametrize("target", [CLAIM, SEND, QUEUED])
@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_while_taking_a_delivery_lets_the_provider_retry(
    webhook: Webhook, eventually: Eventually, target: str, moment: str
) -> None:
    """Between claim and queue as well: the claim does not make the retry a duplicate."""
    body = event()
    webhook.fail(target, moment)

    assert webhook.deliver(body) == 502
    assert webhook.deliver(body) == 202

    eventually(lambda: webhook.payment(payment_id_of(body)))
    eventually(lambda: webhook.waiting() == 0)
    assert not webhook.dead_letters()


@pytest.mark.parametrize("target", [CLAIM, SEND])
def test_throttling_gets_503_with_retry_after(
    webhook: Webhook, eventually: Eventually, target: str
) -> None:
    body = event()
    webhook.fail(target, "throttle", times=2)  # The SDK tries twice by itself.

    answer = webhook.post(body, webhook.signed(body))

    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1
    assert webhook.deliver(body) == 202
    eventually(lambda: webhook.payment(payment_id_of(body)))
    eventually(lambda: webhook.waiting() == 0)


def test_delivery_is_accepted_when_it_is_queued_though_not_recorded(
    webhook: Webhook, eventually: Eventually
) -> None:
    body = event()
    webhook.fail(QUEUED, "throttle", times=2)

    assert [webhook.deliver(body), webhook.deliver(body)] == [202, 202]

    eventually(lambda: webhook.payment(payment_id_of(body)))
    eventually(lambda: webhook.waiting() == 0)
    assert not webhook.dead_letters()


def test_old_secret_is_accepted_until_its_end_and_the_new_one_at_once(
    webhook: Webhook, eventually: Eventually
) -> None:
    old, new = another_value(), another_value()
    webhook.add_secret(old, overlap=0)
    assert webhook.cold(event(), old) == 202
    webhook.add_secret(new, overlap=3_600)

    given = (old, new, LOCAL_VALUE)
    assert [webhook.cold(event(), value) for value in given] == [202, 202, 401]

    webhook.add_secret(LOCAL_VALUE, overlap=0)
    assert [webhook.cold(event(), value) for value in given] == [401, 401, 202]
    eventually(lambda: webhook.waiting() == 0)


def test_delivery_gets_503_while_there_is_no_secret_or_it_cannot_be_read(
    webhook: Webhook, eventually: Eventually
) -> None:
    body = event()
    webhook.fail(READ_SECRET, "throttle", times=2)
    assert webhook.cold(body, LOCAL_VALUE) == 503
    webhook.stack.aws.client("secretsmanager").put_secret_value(
        SecretId=webhook.stack.outputs["SecretArn"], SecretString=json.dumps({"secrets": []})
    )

    assert webhook.cold(body, LOCAL_VALUE) == 503

    webhook.add_secret(LOCAL_VALUE)
    assert webhook.cold(body, LOCAL_VALUE) == 202
    eventually(lambda: webhook.waiting() == 0)


def test_body_that_is_too_large_gets_413(webhook: Webhook) -> None:
    body = event("invoice.sent", note="a" * LARGEST_BODY)

    assert webhook.deliver(body) == 413


def test_largest_body_fits_into_the_queue(webhook: Webhook, eventually: Eventually) -> None:
    body = event("invoice.sent", note="a" * (LARGEST_BODY - 500))

    assert webhook.deliver(body) == 202
    eventually(lambda: webhook.waiting() == 0)


def test_older_event_does_not_overwrite_a_later_one(
    webhook: Webhook, eventually: Eventually
) -> None:
    """Nor does an event that comes again under another delivery id."""
    refunded = event("payment.refunded", created=200)
    payment_id = payment_id_of(refunded)
    webhook.deliver(refunded)
    eventually(lambda: webhook.payment(payment_id))

    webhook.deliver(event("payment.paid", created=150, payment_id=payment_id))
    webhook.deliver(refunded.replace(id_of(refunded).encode(), uuid.uuid4().hex.encode()))

    eventually(lambda: webhook.waiting() == 0)
    found = webhook.payment(payment_id)
    assert (found["status"], found["delivery_id"]) == ("refunded", id_of(refunded))
    assert not webhook.dead_letters()


def test_unknown_type_is_accepted_and_counted(webhook: Webhook, eventually: Eventually) -> None:
    body = event("invoice.sent")

    assert webhook.deliver(body) == 202

    eventually(
        lambda: [
            line
            for line in webhook.log_lines("Process")
            if (line.get("message"), line.get("delivery_id")) == ("ignored", id_of(body))
        ]
    )
    eventually(lambda: webhook.waiting() == 0)
    assert not webhook.dead_letters()


def test_event_that_lacks_something_goes_to_the_dead_letter_queue_at_once(
    webhook: Webhook, eventually: Eventually
) -> None:
    poison, good = event(amount=-1), event()

    assert [webhook.deliver(poison), webhook.deliver(good)] == [202, 202]

    eventually(lambda: webhook.waiting() == 0)
    cause = "PermanentError: Expected `int` >= 0 - at `$.data.amount`"
    assert webhook.dead_letters() == {poison.decode(): cause}
    assert webhook.payment(payment_id_of(good))


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_crash_in_a_batch_loses_and_repeats_nothing(
    webhook: Webhook, eventually: Eventually, moment: Any
) -> None:
    bodies = [event() for _ in range(5)]
    webhook.fail(WRITE, moment, "Process")

    assert {webhook.deliver(body) for body in bodies} == {202}

    eventually(lambda: webhook.waiting() == 0)
    assert all(webhook.payment(payment_id_of(body)) for body in bodies)
    assert not webhook.dead_letters()


def test_last_attempt_keeps_the_cause_and_can_be_redriven(
    webhook: Webhook, eventually: Eventually
) -> None:
    body = event()
    attempts, calls_per_attempt = 3, 2
    webhook.fail(WRITE, "throttle", "Process", times=attempts * calls_per_attempt)
    webhook.deliver(body)
    eventually(lambda: webhook.waiting() == 0)
    with messages_in(webhook.sqs, webhook.dead_letter_queue) as messages:
        [message] = messages
    assert "ThrottlingException" in cause_of(message)

    assert redrive(webhook.sqs, webhook.dead_letter_queue, webhook.queue, pause=0.05) == 1

    eventually(lambda: webhook.payment(payment_id_of(body)))
    eventually(lambda: webhook.waiting() == 0)
    assert not webhook.dead_letters()


def test_message_that_always_crashes_the_function_is_moved_by_the_redrive_policy(
    webhook: Webhook, eventually: Eventually
) -> None:
    body = event()
    webhook.fail(WRITE, "crash before", "Process", times=3)

    webhook.deliver(body)

    eventually(lambda: webhook.waiting() == 0)
    assert webhook.dead_letters() == {body.decode(): DIED}


def test_no_log_has_a_body_a_signature_or_the_secret(
    webhook: Webhook, eventually: Eventually
) -> None:
    """Of deliveries that are accepted, refused, dead letters, and of those that fail."""
    bodies = [event(note=CANARY), event(note=CANARY, amount=-1), event("invoice.sent", note=CANARY)]
    signatures = []
    for body in bodies:
        headers = webhook.signed(body)
        signatures.append(list(headers.values())[-1])
        assert webhook.post(body, headers).status == 202
        assert webhook.post(body + CANARY.encode(), headers).status == 401
    failing = event(note=CANARY)
    webhook.fail(SEND, "throttle", times=2)
    assert webhook.deliver(failing) == 503
    eventually(lambda: webhook.waiting() == 0)
    eventually(lambda: "sent to the dead-letter queue" in text_of_all_logs(webhook))

    text = text_of_all_logs(webhook)
    encoded = base64.b64encode(bodies[0])[40:80].decode()
    for canary in (CANARY, LOCAL_VALUE.removeprefix("whsec_"), encoded, *signatures):
        assert canary not in text
    assert len(webhook.dead_letters()) == 1


def text_of_all_logs(webhook: Webhook) -> str:
    logs = webhook.stack.aws.client("logs")
    groups = logs.describe_log_groups()["logGroups"]
    names = [
        group["logGroupName"] for group in groups if webhook.stack.name in group["logGroupName"]
    ]
    assert len(names) >= 2
    pages = [
        page
        for name in names
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    ]
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_queues_refuse_requests_without_tls(webhook: Webhook) -> None:
    """The local AWS listens on TLS alone, so there is no plain request to try: see the policy."""
    policy = webhook.sqs.get_queue_attributes(QueueUrl=webhook.queue, AttributeNames=["Policy"])
    [statement] = json.loads(policy["Attributes"]["Policy"])["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
