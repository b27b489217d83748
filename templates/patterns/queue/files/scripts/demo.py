"""`make demo`: sends orders through the stack on the local AWS, and shows where they end."""

import json

from toolkit.commands.dead_letters import show
from toolkit.local_aws.stack import Stack
from toolkit.messages import wait_until_empty
from toolkit.signed_request import call

POISON = "this is no order"


def run(stack: Stack) -> None:
    """Send, wait until the queue is empty, and print both ends."""
    sqs, dynamodb = stack.aws.client("sqs"), stack.aws.client("dynamodb")
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"

    print("\nCalls to the API:")
    for order_id, quantity in (("order-1", 1), ("order-2", 2), ("order-3", 3), ("order-3", 3)):
        body = json.dumps({"order_id": order_id, "sku": "teapot", "quantity": quantity})
        answer = call("POST", url, body, session=stack.aws.session, verify=stack.aws.ca)
        print(f"  POST {body} -> {answer.status} {answer.body}")
    answer = call("POST", url, POISON, session=stack.aws.session, verify=stack.aws.ca)
    print(f"  POST {POISON!r} -> {answer.status} {answer.json['errors']}")

    print("\nPast the API, straight into the queue:")
    sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=POISON)
    print(f"  {POISON!r}")
    wait_until_empty(sqs, stack.outputs["QueueUrl"])

    print("\nThe table of shipments, one per order:")
    items = dynamodb.scan(TableName=stack.outputs["ShipmentsTable"])["Items"]
    fields = ("order_id", "sku", "quantity", "shipment_id")
    rows = sorted([str(*item[field].values()) for field in fields] for item in items)
    for row in (fields, *rows):
        print("  " + "  ".join(f"{value:<8}" for value in row))
    print("\nThe dead-letter queue:")
    show(sqs, stack.outputs["DeadLetterQueueUrl"])


def example(stack: Stack) -> str:
    """A command to paste: it sends an order through the stack."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
    return f"""\
Send an order:

  curl --cacert {stack.aws.ca} --write-out '\\n' \\
    --aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test \\
    --json '{{"order_id": "order-1", "sku": "teapot", "quantity": 2}}' \\
    {url}
"""
