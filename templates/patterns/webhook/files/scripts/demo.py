"""`make demo`: sends deliveries through the stack on the local AWS, and shows where they end."""

import json
import time

from toolkit.commands.dead_letters import show
from toolkit.commands.secret import add
from toolkit.local_aws.stack import Stack
from toolkit.messages import wait_until_empty
from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign
from toolkit.signed_request import Answer, call


def run(stack: Stack) -> None:
    """Send, wait until the queue is empty, and print both ends."""
    sqs, dynamodb = stack.aws.client("sqs"), stack.aws.client("dynamodb")
    add_local_secret(stack)

    print("\nDeliveries to the API:")
    for what, delivery_id, kind, created in (
        ("paid", "delivery-1", "payment.paid", 100),
        ("refunded", "delivery-2", "payment.refunded", 200),
        ("the same again", "delivery-2", "payment.refunded", 200),
        ("late, and older than what is stored", "delivery-3", "payment.paid", 150),
        ("of a type that is ignored", "delivery-4", "invoice.sent", 300),
    ):
        body = event(delivery_id, kind, created)
        answer = send(stack, body, signed(delivery_id, body))
        print(f"  {what:<36} -> {answer.status} {answer.body}")
    body = event("delivery-5", "payment.paid", 400)
    forged = send(stack, body + b" ", signed("delivery-5", body))
    print(f"  {'changed after it was signed':<36} -> {forged.status} {forged.json['detail']}")
    poison = b'{"id": "delivery-6", "type": "payment.paid"}'
    answer = send(stack, poison, signed("delivery-6", poison))
    print(f"  {'signed, and without what it needs':<36} -> {answer.status} {answer.body}")
    wait_until_empty(sqs, stack.outputs["QueueUrl"])

    print("\nThe table of payments, each as its latest event left it:")
    items = dynamodb.scan(TableName=stack.outputs["PaymentsTable"])["Items"]
    fields = ("payment_id", "status", "amount", "currency", "delivery_id")
    rows = sorted([str(*item[field].values()) for field in fields] for item in items)
    for row in (fields, *rows):
        print("  " + "  ".join(f"{value:<10}" for value in row))
    print("\nThe dead-letter queue:")
    show(sqs, stack.outputs["DeadLetterQueueUrl"])


def example(stack: Stack) -> str:
    """A command to paste: it sends a delivery through the stack, within five minutes."""
    add_local_secret(stack)
    body = event("delivery-1", "payment.paid", int(time.time()))
    headers = signed("delivery-1", body)
    lines = [f"  --header '{name}: {value}'" for name, value in headers.items()]
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/webhooks"
    return "\n".join(
        [
            "Send a delivery, within five minutes:\n",
            f"  curl --cacert {stack.aws.ca} --write-out '\\n' \\",
            *(f"  {line} \\" for line in lines),
            f"    --json '{body.decode()}' \\",
            f"    {url}\n",
        ]
    )


def add_local_secret(stack: Stack) -> None:
    """What `make secret` does, with a secret for the local AWS."""
    secretsmanager = stack.aws.client("secretsmanager")
    add(secretsmanager, stack.outputs["SecretArn"], LOCAL_VALUE, int(time.time()), overlap=0)


def signed(delivery_id: str, body: bytes) -> dict[str, str]:
    """The headers that the provider would send."""
    return sign(scheme_of_template(), LOCAL_VALUE, delivery_id, body, int(time.time()))


def send(stack: Stack, body: bytes, headers: dict[str, str]) -> Answer:
    """Post a delivery."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/webhooks"
    return call("POST", url, body, headers=headers, verify=stack.aws.ca)


def event(delivery_id: str, kind: str, created: int) -> bytes:
    """An event as the provider writes it."""
    data = {"payment_id": "payment-1", "amount": 1250, "currency": "EUR"}
    fields = {"id": delivery_id, "type": kind, "created": created, "data": data}
    return json.dumps(fields).encode()
