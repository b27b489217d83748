"""`make demo`: publishes events on the local AWS, and shows what each subscriber makes of them."""

import json

from toolkit.commands.dead_letters import show
from toolkit.local_aws.stack import Stack
from toolkit.messages import wait_until_empty
from toolkit.signed_request import call

SUBSCRIBERS = ("Track", "Notify", "Unrouted")


def run(stack: Stack) -> None:
    """Publish, wait until all queues are empty, and print what is where."""
    sqs = stack.aws.client("sqs")
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/shipments"

    print("\nCalls to the API, the last event twice, and the delay after what came later:")
    for given in (
        [event("event-1", "shipment.sent", 9), event("event-2", "shipment.delivered", 17)],
        event("event-3", "shipment.delayed", 12),
        event("event-4", "shipment.delayed", 11, "shipment-2"),
        event("event-4", "shipment.delayed", 11, "shipment-2"),
        {"event_id": "event-5", "type": "shipment.mislaid"},
    ):
        body = json.dumps(given)
        answer = call("POST", url, body, session=stack.aws.session, verify=stack.aws.ca)
        print(f"  POST {body}\n    -> {answer.status} {answer.body}")

    print("\nPast the API, straight to the topic: a type that nobody wants, and no event at all")
    for kind in ("shipment.mislaid", "shipment.delayed"):
        stack.aws.client("sns").publish(
            TopicArn=stack.outputs["TopicArn"],
            Message="this is no event",
            MessageAttributes={"type": {"DataType": "String", "StringValue": kind}},
        )
    for subscriber in SUBSCRIBERS:
        wait_until_empty(sqs, stack.outputs[f"{subscriber}QueueUrl"])

    print("\nTrack keeps the newest status of each shipment:")
    table(stack, "ShipmentsTable", "shipment_id", "status", "event_id")
    print("\nNotify has one notification for each delay:")
    table(stack, "NotificationsTable", "shipment_id", "event_id", "notification_id")
    for subscriber in SUBSCRIBERS:
        print(f"\nThe dead-letter queue of {subscriber}:")
        show(sqs, stack.outputs[f"{subscriber}DeadLetterQueueUrl"])


def event(event_id: str, kind: str, hour: int, shipment_id: str = "shipment-1") -> dict[str, str]:
    """An event of the last day of January."""
    return {
        "event_id": event_id,
        "type": kind,
        "shipment_id": shipment_id,
        "occurred_at": f"2026-01-31T{hour:02}:00:00Z",
    }


def table(stack: Stack, name: str, *fields: str) -> None:
    """Print some fields of a table's items."""
    items = stack.aws.client("dynamodb").scan(TableName=stack.outputs[name])["Items"]
    for row in (
        fields,
        *sorted([str(*item[field].values()) for field in fields] for item in items),
    ):
        print("  " + "  ".join(f"{value:<12}" for value in row))


def example(stack: Stack) -> str:
    """A command to paste: it publishes an event."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/shipments"
    return f"""\
Publish an event:

  curl --cacert {stack.aws.ca} --write-out '\\n' \\
    --aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test \\
    --json '{json.dumps(event("event-1", "shipment.delayed", 12))}' \\
    {url}
"""
