"""`make demo`: runs two scheduled times on the local AWS, and shows the invoices."""

from toolkit.commands.dead_letters import show
from toolkit.commands.schedule import run_now
from toolkit.local_aws.stack import Stack
from toolkit.messages import wait_until_empty

CUSTOMERS = {f"customer-{number:02}": 100 * number for number in range(1, 13)}
FIRST, SECOND = "2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z"
POISON = '{"schedule": "<aws.scheduler.schedule-arn>"}'


def run(stack: Stack) -> None:
    """Send, wait until the queue is empty, and print both ends."""
    sqs, dynamodb = stack.aws.client("sqs"), stack.aws.client("dynamodb")
    queue, outputs = stack.outputs["QueueUrl"], stack.outputs
    for customer, cents in CUSTOMERS.items():
        dynamodb.put_item(
            TableName=outputs["CustomersTable"],
            Item={
                "customer_id": {"S": customer},
                "daily_cents": {"N": str(cents)},
                "opened_at": {"S": FIRST},
            },
        )
    print(f"\n{len(CUSTOMERS)} customers. The schedule sends, as it does at these times:")
    for time in (FIRST, SECOND, SECOND):
        run_now(sqs, queue, outputs["ScheduleArn"], time)
        wait_until_empty(sqs, queue)
        print(f"  the run of {time}")
    sqs.send_message(QueueUrl=queue, MessageBody=POISON)
    print(f"  something invalid: {POISON}")
    wait_until_empty(sqs, queue)

    print("\nThe table of invoices, one per customer and scheduled time:")
    items = dynamodb.scan(TableName=outputs["InvoicesTable"])["Items"]
    fields = ("customer_id", "period_start", "scheduled_time", "amount_cents")
    rows = sorted([str(*item[field].values()) for field in fields] for item in items)
    for row in (fields, *rows):
        print("  " + "  ".join(f"{value:<20}" for value in row))
    print("\nThe dead-letter queue:")
    show(sqs, outputs["DeadLetterQueueUrl"])


def example(stack: Stack) -> str:
    """A command to paste: it does a run through the stack."""
    body = f'{{ "{{" }}"schedule": "{stack.outputs["ScheduleArn"]}", "scheduled_time": "{FIRST}"}}'
    return f"""\
Do the run of {FIRST}:

  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_CA_BUNDLE={stack.aws.ca} \\
    aws sqs send-message --endpoint-url {stack.aws.endpoint} --region {stack.aws.region} \\
    --queue-url {stack.outputs["QueueUrl"]} --message-body '{body}'
"""
