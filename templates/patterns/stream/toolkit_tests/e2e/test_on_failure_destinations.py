"""A batch that Lambda gives up goes to S3 with its payload, and to SQS as metadata only."""

import json
from collections.abc import Callable
from typing import Any

from toolkit.commands.failures import failures_in
from toolkit.local_aws.stack import Stack

Eventually = Callable[[Callable[[], Any]], Any]


def test_s3_gets_the_payload_and_sqs_the_metadata(stack: Stack, eventually: Eventually) -> None:
    sqs, kinesis = stack.aws.client("sqs"), stack.aws.client("kinesis")
    awslambda, s3 = stack.aws.client("lambda"), stack.aws.client("s3")
    url = sqs.create_queue(QueueName="on-failure")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    # Both event sources fail on the record: the stack's own goes to the bucket.
    stack.aws.fail(None, "crash before", times=20)
    mapping = awslambda.create_event_source_mapping(
        EventSourceArn=stack.outputs["StreamArn"],
        FunctionName=stack.outputs["AggregateFunction"],
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn["QueueArn"]}},
    )["UUID"]
    try:
        kinesis.put_record(StreamName=stack.outputs["StreamName"], PartitionKey="a", Data=b"no")
        [message, *_] = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
        found = eventually(lambda: list(failures_in(s3, stack.outputs["FailuresBucket"])))
    finally:
        stack.aws.end_faults()
        awslambda.delete_event_source_mapping(UUID=mapping)

    document = json.loads(message["Body"])
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["KinesisBatchInfo"]["streamArn"] == stack.outputs["StreamArn"]
    assert "payload" not in document
    assert found[0].records[0]["kinesis"]["partitionKey"] == "a"
