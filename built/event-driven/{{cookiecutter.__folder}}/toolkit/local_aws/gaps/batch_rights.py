"""Gap: ministack's IAM asks for rights of their own for SQS's batches, which AWS does not have.

Closed: a batch needs the right of the single call, `sqs:SendMessage` for SendMessageBatch.
docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
"""

from typing import Any

from ministack.core import iam_actions


def is_needed() -> bool:
    headers = {"x-amz-target": "AmazonSQS.SendMessageBatch"}
    action = iam_actions.extract_iam_action("sqs", "POST", "/", headers, b"{}", {})
    return bool(action == "sqs:SendMessageBatch")


def close() -> None:
    action_of = iam_actions.extract_iam_action

    def single_action_of(service: str, *rest: Any) -> Any:
        action = action_of(service, *rest)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = single_action_of
