"""`make demo`: three orders on the local AWS: one goes well, one is undone, one is parked."""

import json
import time
from collections.abc import Callable
from typing import Any

from toolkit.commands.parked import of_key, resume, show
from toolkit.local_aws.stack import LocalAwsError, Stack
from toolkit.signed_request import call


def run(stack: Stack) -> None:
    """One order after the other."""
    dynamodb = stack.aws.client("dynamodb")
    sqs, stepfunctions = stack.aws.client("sqs"), stack.aws.client("stepfunctions")
    queue = stack.outputs["ParkedQueueUrl"]
    dynamodb.put_item(
        TableName=stack.outputs["StockTable"],
        Item={"sku": {"S": "teapot"}, "available": {"N": "10"}},
    )
    print("\nTen teapots are in stock.")

    print("\nAn order that goes well:")
    follow(stack, send(stack, "order-1", quantity=2))

    print("\nAn order whose payment is declined:")
    follow(stack, send(stack, "order-2", amount=99_000_000))

    print("\nAn order to where no carrier goes, and the refund does not work:")
    write, attempts = "DynamoDB_20120810.TransactWriteItems", 8
    stack.aws.fail(write, "crash before", attempts, function=f"{stack.name}-RefundPayment")
    third = send(stack, "order-3", country="AQ")
    until(lambda: waiting(sqs, queue))
    print("\nmake parked:")
    show(sqs, queue)
    print("\nmake resume KEY=order-3:")
    resume(sqs, stepfunctions, queue, of_key("order-3"))
    follow(stack, third)

    print("\nWhat is left:")
    for table in ("StockTable", "PaymentsTable", "ShipmentsTable"):
        for item in dynamodb.scan(TableName=stack.outputs[table])["Items"]:
            values = {name: next(iter(value.values())) for name, value in item.items()}
            print(f"  {table:<15} {json.dumps(values, sort_keys=True)}")


def send(stack: Stack, order_id: str, **fields: Any) -> str:
    """Send an order through the API; returns its key, the name of its workflow."""
    order = {"order_id": order_id, "sku": "teapot", "quantity": 1, "amount": 4_200, "country": "DE"}
    body = json.dumps(order | fields)
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
    answer = call("POST", url, body, session=stack.aws.session, verify=stack.aws.ca)
    print(f"  POST {body} -> {answer.status}")
    return str(answer.json["order_key"])


def follow(stack: Stack, order_key: str) -> None:
    """Wait for an order's workflow to end, and print its way."""
    stepfunctions = stack.aws.client("stepfunctions")
    machine = stack.outputs["Workflow"].replace(":stateMachine:", ":execution:")
    arn = f"{machine}:{order_key}"

    def execution() -> Any:
        return stepfunctions.describe_execution(executionArn=arn)

    until(lambda: execution()["status"] != "RUNNING")
    events = stepfunctions.get_execution_history(executionArn=arn, maxResults=1_000)["events"]
    details = [event.get("stateEnteredEventDetails") for event in events]
    print("  " + " -> ".join(detail["name"] for detail in details if detail))
    print(f"  {execution()['status']} {execution().get('output', '')}")


def waiting(sqs: Any, queue: str) -> int:
    """Messages in a queue."""
    name = "ApproximateNumberOfMessages"
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
    return int(attributes[name])


def until(question: Callable[[], Any]) -> None:
    """Ask again until the answer is true."""
    deadline = time.monotonic() + 60
    while not question():
        if time.monotonic() > deadline:
            raise LocalAwsError("nothing happened for a minute")
        time.sleep(0.1)


def example(stack: Stack) -> str:
    """A command to paste: it sends an order for what is now in stock."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
    order = {"order_id": "order-1", "sku": "teapot", "quantity": 2, "amount": 4200, "country": "DE"}
    stack.aws.client("dynamodb").put_item(
        TableName=stack.outputs["StockTable"],
        Item={"sku": {"S": "teapot"}, "available": {"N": "10"}},
    )
    return f"""\
Ten teapots are in stock. Send an order:

  curl --cacert {stack.aws.ca} --write-out '\\n' \\
    --aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test \\
    --json '{json.dumps(order)}' \\
    {url}
"""
