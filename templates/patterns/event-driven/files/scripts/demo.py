"""`make demo`: uploads surveys to the stack on the local AWS, and shows what becomes of them."""

import time

from toolkit.commands.dead_letters import show
from toolkit.local_aws.stack import Stack
from toolkit.messages import wait_until_empty

FILES = {
    "north/survey 1.csv": b"oak,3\nbirch,4\n",
    "north/survey+2.csv": b"oak,10\n",
    "south/no survey.csv": b"this is no survey\n",
}


def run(stack: Stack) -> None:
    """Upload, wait until all is done, and print every end."""
    s3, sqs, dynamodb = (stack.aws.client(name) for name in ("s3", "sqs", "dynamodb"))
    bucket = stack.outputs["UploadsBucket"]

    print("\nUploads:")
    for key, body in FILES.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        print(f"  {key}: {body.decode()!r}")
    wait_until_empty(sqs, stack.outputs["QueueUrl"])
    deadline = time.monotonic() + 60
    while dynamodb.scan(TableName=stack.outputs["OutboxTable"])["Items"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the outbox is not empty after a minute")
        time.sleep(0.1)
    wait_until_empty(sqs, stack.outputs["NotifyQueueUrl"])

    for table in ("SurveysTable", "NotificationsTable"):
        print(f"\n{table}:")
        for item in dynamodb.scan(TableName=stack.outputs[table])["Items"]:
            fields = ("object_key", "lines", "total", "event_id")
            print("  " + "  ".join(str(*item[field].values()) for field in fields))
    print("\nThe dead-letter queue of Process:")
    show(sqs, stack.outputs["DeadLetterQueueUrl"])


def example(stack: Stack) -> str:
    """A command to paste: it uploads a survey."""
    return f"""\
Upload a survey:

  printf 'oak,3\\nbirch,4\\n' | AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \\
    AWS_CA_BUNDLE={stack.aws.ca} \\
    aws --endpoint-url {stack.aws.endpoint} --region {stack.aws.region} \\
    s3 cp - 's3://{stack.outputs["UploadsBucket"]}/north/survey 1.csv'
"""
