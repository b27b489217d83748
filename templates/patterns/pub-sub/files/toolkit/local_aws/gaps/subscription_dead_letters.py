"""Gap: ministack stores the RedrivePolicy of a subscription, and drops what it cannot deliver.

Closed for queues: as on AWS, a message that the queue's policy refuses, or whose queue is gone, is
put in the subscription's dead-letter queue at once, if that one's policy lets it in. These are
client-side errors, which SNS does not retry.
docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
"""

import inspect
import json
from typing import Any

from ministack.services import sns, sqs

SNS = "sns.amazonaws.com"


def is_needed() -> bool:
    return "RedrivePolicy" not in inspect.getsource(sns._fanout) + inspect.getsource(
        sns._deliver_to_sqs
    )


def close() -> None:
    deliver = sns._deliver_to_sqs

    def deliver_or_set_aside(endpoint: str, *message: Any, **rest: Any) -> None:
        topic: str = rest.get("topic_arn", "")
        account = topic.split(":")[4] if topic else ""
        if not sqs._queue_by_arn(endpoint) or not sqs.queue_policy_allows(
            endpoint, SNS, topic, account
        ):
            endpoint = _dead_letter_queue(topic, endpoint) or endpoint
        deliver(endpoint, *message, **rest)

    sns._deliver_to_sqs = deliver_or_set_aside


def _dead_letter_queue(topic_arn: str, endpoint: str) -> str:
    """The ARN in the RedrivePolicy of the subscription of an endpoint, or nothing."""
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    for subscription in topic["subscriptions"]:
        if subscription["endpoint"] == endpoint:
            policy = json.loads(subscription["attributes"].get("RedrivePolicy") or "{}")
            return str(policy.get("deadLetterTargetArn", ""))
    return ""
