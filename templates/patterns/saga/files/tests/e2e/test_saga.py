"""An order is fulfilled or undone, whatever fails on its way; what cannot be undone is parked."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.agree import assert_all_agree, ends, id_in, items
from toolkit.commands.parked import Wanted, everyone, of_key, of_step, resume
from toolkit.local_aws.stack import LocalAws, Stack
from toolkit.messages import visible
from toolkit.signed_request import Answer, call
from toolkit.stacks import PROJECT

Eventually = Callable[[Callable[[], Any]], Any]
WRITE = "DynamoDB_20120810.TransactWriteItems"
AT_FIRST = 10
CALLER = "arn:aws:iam::123456789012:root"
STATES = yaml.safe_load((PROJECT / "statemachine" / "workflow.asl.yaml").read_text("utf-8"))[
    "States"
]
STEPS = ["ReserveStock", "TakePayment", "ArrangeShipping"]
COMPENSATIONS = ["CancelShipping", "RefundPayment", "ReleaseStock"]
UNDELIVERABLE: dict[str, Any] = {"country": "AQ"}
DECLINED: dict[str, Any] = {"amount": 99_000_000}
OUT_OF_STOCK: dict[str, Any] = {"quantity": AT_FIRST + 1}


def attempts_of(step: str) -> int:
    """How often the workflow tries a step before it gives up."""
    [retry] = STATES[step]["Retry"]
    return 1 + int(retry["MaxAttempts"])


class Orders:
    """What tests do with the deployed stack: each with a sku of its own, ten of it in stock."""

    def __init__(self, stack: Stack, eventually: Eventually) -> None:
        self.stack = stack
        self.eventually = eventually
        self.url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
        self.stepfunctions = stack.aws.client("stepfunctions")
        self.sqs = stack.aws.client("sqs")
        self.parked_queue = stack.outputs["ParkedQueueUrl"]
        self.sku = uuid.uuid4().hex
        self.sent: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        stack.aws.client("dynamodb").put_item(
            TableName=stack.outputs["StockTable"],
            Item={"sku": {"S": self.sku}, "available": {"N": str(AT_FIRST)}},
        )

    def post(self, order: dict[str, Any] | str, session: Any = None, **headers: str) -> Answer:
        aws = self.stack.aws
        body = order if isinstance(order, str) else json.dumps(order)
        answer = call(
            "POST",
            self.url,
            body,
            headers=headers,
            session=session or aws.session,
            verify=aws.ca,
        )
        if answer.status == 202:
            self.keys[answer.json["order_id"]] = answer.json["order_key"]
        return answer

    def give_back(self, quantity: int) -> None:
        """Goods of orders that `send` did not send: it remembers its own."""
        self.stack.aws.client("dynamodb").update_item(
            TableName=self.stack.outputs["StockTable"],
            Key={"sku": {"S": self.sku}},
            UpdateExpression="SET available = available + :quantity",
            ExpressionAttributeValues={":quantity": {"N": str(quantity)}},
        )

    def send(self, correlation: str = "test", **fields: Any) -> str:
        """Send an order that differs in some fields from one that goes well; returns its id."""
        order = {
            "order_id": uuid.uuid4().hex,
            "sku": self.sku,
            "quantity": 1,
            "amount": 4_200,
            "country": "DE",
        } | fields
        answer = self.post(order, **{"X-Correlation-Id": correlation})
        assert answer.status == 202, answer.body
        if order not in self.sent:
            self.sent.append(order)
        return str(order["order_id"])

    def fail(self, function: str, fault: Any, times: int) -> None:
        self.stack.aws.fail(WRITE, fault, times, function=f"{self.stack.name}-{function}")

    def execution(self, order_id: str) -> dict[str, Any]:
        machine = self.stack.outputs["Workflow"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{self.keys[order_id]}"
        found: dict[str, Any] = self.stepfunctions.describe_execution(executionArn=arn)
        return found

    def end_of(self, order_id: str) -> tuple[str, Any]:
        """How the workflow ended, once it has: its status, and its output or error."""
        self.eventually(lambda: self.execution(order_id)["status"] != "RUNNING")
        execution = self.execution(order_id)
        if execution["status"] == "SUCCEEDED":
            return "SUCCEEDED", json.loads(execution["output"])
        return execution["status"], execution["error"]

    def path_of(self, order_id: str) -> list[str]:
        """The states that the workflow went through."""
        events = self.stepfunctions.get_execution_history(
            executionArn=self.execution(order_id)["executionArn"], maxResults=1_000
        )["events"]
        details = [event.get("stateEnteredEventDetails") for event in events]
        return [detail["name"] for detail in details if detail]

    def parked(self) -> list[dict[str, Any]]:
        """The cases that wait for an operator; they are left where they are."""
        messages = self.sqs.receive_message(
            QueueUrl=self.parked_queue, MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def resume(self, which: str | Wanted, *, by_hand: bool = False) -> int:
        wanted = of_key(self.keys[which]) if isinstance(which, str) else which
        return resume(
            self.sqs, self.stepfunctions, self.parked_queue, wanted, by_hand=by_hand, rate=1_000
        )


@pytest.fixture
def orders(stack: Stack, eventually: Eventually) -> Iterator[Orders]:
    """Ends with the question whether money, stock and shipments agree."""
    orders = Orders(stack, eventually)
    yield orders
    for order in orders.sent:
        assert orders.execution(order["order_id"])["status"] != "RUNNING"
    assert not orders.parked()
    assert_all_agree(stack, orders.sku, AT_FIRST, orders.sent)


FULFILLED = ("SUCCEEDED", {"status": "fulfilled"})
BROKEN = ("FAILED", "UndoneError")


def cancelled(reason: str) -> tuple[str, Any]:
    return "SUCCEEDED", {"status": "cancelled", "reason": reason}


def test_order_is_accepted_at_once_and_fulfilled_later(orders: Orders) -> None:
    order_id = orders.send(quantity=2)

    assert orders.end_of(order_id) == FULFILLED
    assert orders.path_of(order_id) == [*STEPS, "NotifyCustomer"]
    assert ends(orders.stack, orders.sent) == {order_id: "fulfilled"}


def test_subscriber_gets_a_message_for_a_fulfilled_order(orders: Orders) -> None:
    queue = orders.sqs.create_queue(QueueName=f"subscriber-{uuid.uuid4().hex}")["QueueUrl"]
    asked = orders.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = asked["Attributes"]["QueueArn"]
    let_sns_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_sns_in]})
    orders.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    orders.stack.aws.client("sns").subscribe(
        TopicArn=orders.stack.outputs["NotificationsTopic"], Protocol="sqs", Endpoint=arn
    )

    order_id = orders.send()

    assert orders.end_of(order_id) == FULFILLED
    [message] = orders.eventually(
        lambda: orders.sqs.receive_message(QueueUrl=queue).get("Messages")
    )
    notification = json.loads(json.loads(message["Body"])["Message"])
    assert notification == {"caller": CALLER, "order_id": order_id, "status": "fulfilled"}


def test_callers_correlation_id_reaches_every_step(orders: Orders, eventually: Eventually) -> None:
    correlation = uuid.uuid4().hex
    order_id = orders.send(correlation, **UNDELIVERABLE)
    orders.end_of(order_id)

    def logged_by(function: str) -> bool:
        group = f"/aws/lambda/{orders.stack.name}-{function}"
        events = orders.stack.aws.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
        return correlation in {line.get("correlation_id") for line in lines}

    functions = ["Start", *STEPS, *COMPENSATIONS]
    eventually(lambda: all(map(logged_by, functions)))


@pytest.mark.parametrize("body", ["{", "[]", '{"order_id": "a", "sku": "b"}'])
def test_invalid_order_gets_400_with_the_reason(orders: Orders, body: str) -> None:
    aws = orders.stack.aws
    answer = call("POST", orders.url, body, session=aws.session, verify=aws.ca)

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert answer.json["errors"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ALMOST_ORDERS = st.fixed_dictionaries(
    {
        "order_id": st.uuids().map(str),
        "sku": st.just("nothing-of-it") | ANYTHING,
        "quantity": st.just(1) | ANYTHING,
        "amount": st.just(1) | ANYTHING,
        "country": st.just("DE") | ANYTHING,
    },
    optional={"unknown": ANYTHING},
)


def test_any_request_is_accepted_or_refused_with_a_reason(orders: Orders) -> None:
    accepted: list[str] = []

    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(st.text() | ANYTHING.map(json.dumps) | ALMOST_ORDERS.map(json.dumps))
    def post(body: str) -> None:
        answer = orders.post(body)
        if answer.status == 202:
            accepted.append(answer.json["order_id"])
            return
        assert answer.status in {400, 413, 415}
        assert answer.content_type == "application/problem+json"
        assert answer.json["title"]

    post()

    ends_of = [orders.end_of(order_id) for order_id in accepted]
    assert ends_of == [cancelled("OutOfStockError")] * len(accepted)


def test_unsigned_request_gets_403(orders: Orders) -> None:
    answer = call("POST", orders.url, "{}", verify=orders.stack.aws.ca)

    assert (answer.status, answer.content_type) == (403, "application/problem+json")
    assert answer.json.keys() == {"type", "title"}


def test_repeated_order_has_one_workflow(orders: Orders) -> None:
    order_id = orders.send()
    orders.send(order_id=order_id)
    assert orders.end_of(order_id) == FULFILLED

    orders.send(order_id=order_id)

    assert len([p for p in items(orders.stack, "PaymentsTable") if id_in(p) == order_id]) == 1


def test_repeated_order_is_counted_once(orders: Orders) -> None:
    """A caller that repeats it may repeat the correlation id as well."""
    orders.fail("TakePayment", "error before", times=2)
    correlation = uuid.uuid4().hex
    order_id = orders.send(correlation)
    [order] = orders.sent
    orders.send(correlation, **order)
    assert orders.end_of(order_id) == FULFILLED
    orders.send(correlation, **order)

    def counted() -> list[Any]:
        events = orders.stack.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{orders.stack.name}-Start"
        )["events"]
        lines = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
        return [
            line["message"]
            for line in lines
            if line.get("correlation_id") == correlation and "accepted" in line["message"]
        ]

    orders.eventually(lambda: len(counted()) == 3)
    assert counted().count("accepted") == 1


def test_each_caller_has_its_own_order_ids(orders: Orders, aws: LocalAws) -> None:
    first, second = (order_of(orders.sku, quantity) for quantity in (1, 2))
    second["order_id"] = first["order_id"]
    shop, other = (role_session(aws, orders.stack, role) for role in ("shop", "other"))

    answers = [
        orders.post(order, session)
        for order, session in ((first, shop), (second, shop), (second, other))
    ]

    assert [answer.status for answer in answers] == [202, 409, 202]
    keys = [answers[0].json["order_key"], answers[2].json["order_key"]]
    for key in keys:
        orders.keys[key] = key
        assert orders.end_of(key) == FULFILLED
    shipped = {
        item["order_key"]: item["quantity"]
        for item in items(orders.stack, "ShipmentsTable")
        if id_in(item) == first["order_id"]
    }
    assert shipped == dict(zip(keys, ["1", "2"], strict=True))
    orders.give_back(3)


def order_of(sku: str, quantity: int) -> dict[str, Any]:
    order_id = uuid.uuid4().hex
    return {
        "order_id": order_id,
        "sku": sku,
        "quantity": quantity,
        "amount": 4_200,
        "country": "DE",
    }


def role_session(aws: LocalAws, stack: Stack, role: str) -> boto3.session.Session:
    """A session of a role that may send orders and do nothing else."""
    iam = aws.client("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    api = f"arn:aws:execute-api:{aws.region}:123456789012:{stack.outputs['ApiId']}"
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{api}/v1/POST/orders"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName=role, PolicyName="orders", PolicyDocument=policy)
    got = aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::123456789012:role/{role}", RoleSessionName="session"
    )["Credentials"]
    return boto3.session.Session(
        got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"], region_name=aws.region
    )


def test_throttling_gets_503_with_retry_after(orders: Orders) -> None:
    function = f"{orders.stack.name}-Start"
    order = order_of(orders.sku, 1)
    # The SDK tries twice by itself.
    orders.stack.aws.fail("AWSStepFunctions.StartExecution", "throttle", 2, function=function)

    answer = orders.post(order)

    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1
    assert orders.end_of(orders.send(**order)) == FULFILLED


def test_different_order_with_a_used_id_gets_409(orders: Orders) -> None:
    order_id = orders.send()
    [first] = orders.sent

    answer = orders.post(first | {"quantity": 2})

    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    assert orders.end_of(order_id) == FULFILLED


@pytest.mark.parametrize(
    ("fields", "reason", "undoing"),
    [
        pytest.param(OUT_OF_STOCK, "OutOfStockError", COMPENSATIONS[2:], id="out of stock"),
        pytest.param(DECLINED, "PaymentDeclinedError", COMPENSATIONS[1:], id="declined"),
        pytest.param(UNDELIVERABLE, "UndeliverableError", COMPENSATIONS, id="undeliverable"),
    ],
)
def test_refused_order_is_undone_in_reverse_and_cancelled(
    orders: Orders, fields: dict[str, Any], reason: str, undoing: list[str]
) -> None:
    order_id = orders.send(**fields)

    assert orders.end_of(order_id) == cancelled(reason)
    done = STEPS[: len(undoing)]
    assert orders.path_of(order_id) == [*done, *undoing, "WhyUndone", "Cancelled"]
    assert ends(orders.stack, orders.sent) == {order_id: "undone"}


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
@pytest.mark.parametrize("step", STEPS)
def test_step_that_crashes_once_is_retried_and_done_once(
    orders: Orders, step: str, moment: str
) -> None:
    orders.fail(step, moment, times=1)

    order_id = orders.send()

    assert orders.end_of(order_id) == FULFILLED


@pytest.mark.parametrize("step", STEPS)
def test_throttled_step_is_retried(orders: Orders, step: str) -> None:
    calls_per_attempt = 2  # The SDK tries twice by itself.
    orders.fail(step, "throttle", times=2 * calls_per_attempt)

    order_id = orders.send()

    assert orders.end_of(order_id) == FULFILLED
    assert step in orders.path_of(order_id)


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
@pytest.mark.parametrize("step", STEPS)
def test_step_that_always_crashes_is_undone_with_earlier_steps(
    orders: Orders, step: str, moment: str
) -> None:
    """After the effect there is a record: each further attempt finds it, and dies as well."""
    number = STEPS.index(step)
    orders.fail(step, moment, times=attempts_of(step))

    order_id = orders.send()

    assert orders.end_of(order_id) == BROKEN
    undoing = COMPENSATIONS[len(STEPS) - 1 - number :]
    assert orders.path_of(order_id) == [*STEPS[: number + 1], *undoing, "WhyUndone", "Broken"]
    assert ends(orders.stack, orders.sent) == {order_id: "undone"}


@pytest.mark.parametrize("moment", ["crash before", "crash after", "throttle"])
@pytest.mark.parametrize("step", COMPENSATIONS)
def test_failed_compensation_is_retried_and_done_once(
    orders: Orders, step: str, moment: str
) -> None:
    orders.fail(step, moment, times=1)

    order_id = orders.send(**UNDELIVERABLE)

    assert orders.end_of(order_id) == cancelled("UndeliverableError")


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
@pytest.mark.parametrize("step", COMPENSATIONS)
def test_failed_compensation_is_parked_and_continues_when_resumed(
    orders: Orders, step: str, moment: str
) -> None:
    orders.fail(step, moment, times=attempts_of(step))
    order_id = orders.send(**UNDELIVERABLE)
    [case] = orders.eventually(orders.parked)
    assert orders.execution(order_id)["status"] == "RUNNING"
    assert case["input"]["order"] == {"caller": CALLER, **orders.sent[0]}
    assert (case["step"], case["error"]) == (step, "Runtime.ExitError")
    assert case["execution"] == orders.execution(order_id)["executionArn"]

    assert orders.resume(order_id)

    assert orders.end_of(order_id) == cancelled("UndeliverableError")
    path = orders.path_of(order_id)
    assert path.count(step) == 2
    assert path[path.index(f"Park{step}") + 1] == step


def test_case_that_fails_again_is_parked_again(orders: Orders) -> None:
    orders.fail("RefundPayment", "crash before", times=2 * attempts_of("RefundPayment"))
    order_id = orders.send(**UNDELIVERABLE)
    [first] = orders.eventually(orders.parked)

    orders.resume(order_id)

    [second] = orders.eventually(orders.parked)
    assert second["task_token"] != first["task_token"]
    orders.resume(order_id)
    assert orders.end_of(order_id) == cancelled("UndeliverableError")


def test_step_that_was_done_by_hand_is_not_retried(orders: Orders) -> None:
    orders.fail("CancelShipping", "crash after", times=attempts_of("CancelShipping"))
    order_id = orders.send(**UNDELIVERABLE)
    orders.eventually(orders.parked)

    assert orders.resume(order_id, by_hand=True)

    assert orders.end_of(order_id) == cancelled("UndeliverableError")
    assert orders.path_of(order_id).count("CancelShipping") == 1
    assert not orders.resume(order_id)


def test_two_operators_resume_each_case_once(orders: Orders) -> None:
    """As after some minutes in which a provider took no call: all that was cancelled is parked."""
    count = 6
    orders.fail("RefundPayment", "crash before", times=count * attempts_of("RefundPayment"))
    ids = [orders.send(**UNDELIVERABLE) for _ in range(count)]
    orders.eventually(lambda: visible(orders.sqs, orders.parked_queue) == count)

    with ThreadPoolExecutor(2) as operators:
        resumed = list(operators.map(orders.resume, [everyone, everyone]))

    assert sum(resumed) == count
    for order_id in ids:
        assert orders.end_of(order_id) == cancelled("UndeliverableError")
        assert orders.path_of(order_id).count("RefundPayment") == 2


def test_resume_by_step_leaves_other_cases_parked(orders: Orders) -> None:
    orders.fail("RefundPayment", "crash before", times=attempts_of("RefundPayment"))
    refund = orders.send(**DECLINED)
    orders.eventually(orders.parked)
    orders.fail("ReleaseStock", "crash before", times=attempts_of("ReleaseStock"))
    release = orders.send(**OUT_OF_STOCK)
    orders.eventually(lambda: visible(orders.sqs, orders.parked_queue) == 2)

    assert orders.resume(of_step("ReleaseStock")) == 1

    assert orders.end_of(release) == cancelled("OutOfStockError")
    [case] = orders.parked()
    assert case["step"] == "RefundPayment"
    assert orders.resume(refund)
    assert orders.end_of(refund) == cancelled("PaymentDeclinedError")


def test_failed_notification_undoes_nothing(
    orders: Orders,
) -> None:
    topic = orders.stack.outputs["NotificationsTopic"]
    sns = orders.stack.aws.client("sns")
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    deny = json.dumps({"Version": "2012-10-17", "Statement": [refusal]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=deny)
    order_id = orders.send()
    [case] = orders.eventually(orders.parked)
    assert case["step"] == "NotifyCustomer"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    orders.resume(order_id)

    assert orders.end_of(order_id) == FULFILLED
    assert not set(COMPENSATIONS) & set(orders.path_of(order_id))


def test_late_step_after_its_compensation_has_no_effect(orders: Orders) -> None:
    """As when a call got stuck on its way, and the workflow gave up on it."""
    order_id = orders.send(**DECLINED)
    assert orders.end_of(order_id) == cancelled("PaymentDeclinedError")
    [order] = orders.sent
    late = {"order": {"caller": CALLER, **order, "amount": 1}, "correlation_id": "late"}

    for step in STEPS[:2]:
        answer = orders.stack.aws.client("lambda").invoke(
            FunctionName=f"{orders.stack.name}-{step}:live", Payload=json.dumps(late)
        )
        assert json.loads(answer["Payload"].read())["errorType"] == "StepUndoneError"

    assert ends(orders.stack, orders.sent) == {order_id: "undone"}


def test_concurrent_orders_never_oversell(orders: Orders) -> None:
    """Some go well, some are refused at each step, and no more is sold than there was."""
    plan: list[dict[str, Any]] = [{}, {}, DECLINED, UNDELIVERABLE] * 8
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda fields: orders.send(**fields), plan))

    found = [orders.end_of(order_id) for order_id in ids]

    assert found.count(FULFILLED) <= AT_FIRST
    assert FULFILLED in found
    assert {status for status, _ in found} == {"SUCCEEDED"}


def test_load_on_one_sku_fails_no_order(orders: Orders) -> None:
    """Stock is one item per sku; DynamoDB refuses a write to it while another is under way."""
    orders.fail("ReserveStock", "conflict", times=60)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: orders.send(), range(2 * AT_FIRST)))

    found = [orders.end_of(order_id) for order_id in ids]

    assert found.count(FULFILLED) == AT_FIRST
    assert found.count(cancelled("OutOfStockError")) == AT_FIRST
    assert not orders.parked()
    assert orders.stack.aws.end_faults()["conflict"] == 60
    for order_id in ids:
        assert orders.path_of(order_id)[0] == "ReserveStock"


def test_load_of_compensations_on_one_sku_fails_no_order(orders: Orders) -> None:
    orders.fail("ReleaseStock", "conflict", times=40)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: orders.send(**UNDELIVERABLE), range(AT_FIRST)))

    assert [orders.end_of(order_id) for order_id in ids] == [
        cancelled("UndeliverableError")
    ] * AT_FIRST
    orders.stack.aws.end_faults()
