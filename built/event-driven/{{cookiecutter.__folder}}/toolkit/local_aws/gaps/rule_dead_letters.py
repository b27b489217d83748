"""Gap: ministack delivers to a queue whatever its policy says, and drops what it cannot deliver.

Closed for queues: an event that the queue's policy refuses, or whose queue is gone, is not retried.
It goes to the dead-letter queue of the target, if that one's policy lets it in, with the attributes
that EventBridge adds.
docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import inspect
import json
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import pin_request_origin
from ministack.services import eventbridge, sqs

EVENTS = "events.amazonaws.com"


def is_needed() -> bool:
    return "DeadLetterConfig" not in inspect.getsource(eventbridge._invoke_target)


def close() -> None:
    invoke = eventbridge._invoke_target

    def invoke_or_set_aside(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        arn = target.get("Arn", "")
        if ":sqs:" not in arn or may_send(arn, rule):
            invoke(target, event, rule, view)
            return
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
        if not dead_letters or not may_send(dead_letters, rule):
            return
        shown = (view or eventbridge._pattern_event_view(event)).event_with_detail()
        eventbridge._dispatch_to_sqs(parse_arn(dead_letters), json.dumps(shown))
        there = sqs._queue_by_arn(arn)
        sqs._queue_by_arn(dead_letters)["messages"][-1]["message_attributes"] = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in {
                "RULE_ARN": rule["Arn"],
                "TARGET_ARN": arn,
                "ERROR_CODE": "NO_PERMISSIONS" if there else "NO_RESOURCE",
                "ERROR_MESSAGE": "Lack of permissions to invoke the target."
                if there
                else "The target does not exist.",
            }.items()
        }

    eventbridge._invoke_target = invoke_or_set_aside


def may_send(queue_arn: str, rule: dict[str, Any]) -> bool:
    """Whether a queue is there and its policy lets a rule in."""
    account = rule["Arn"].split(":")[4]
    # A replay has no request that it belongs to; AWS's services use TLS among themselves.
    pin_request_origin("127.0.0.1", secure_transport=True)
    return bool(sqs._queue_by_arn(queue_arn)) and bool(
        sqs.queue_policy_allows(queue_arn, EVENTS, rule["Arn"], account)
    )
