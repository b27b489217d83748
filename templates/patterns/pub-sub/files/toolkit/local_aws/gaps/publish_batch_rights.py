"""Gap: ministack's IAM asks for a right of its own for SNS's PublishBatch, which AWS does not have.

Closed: a batch needs the right of the single call, `sns:Publish`.
docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
"""

from typing import Any

from ministack.core import iam_actions

_BATCH = "sns:PublishBatch"


def is_needed() -> bool:
    parameters = {"Action": ["PublishBatch"]}
    action = iam_actions.extract_iam_action("sns", "POST", "/", {}, b"", parameters)
    return bool(action == _BATCH)


def close() -> None:
    action_of = iam_actions.extract_iam_action

    def single_action_of(service: str, *rest: Any) -> Any:
        action = action_of(service, *rest)
        return "sns:Publish" if action == _BATCH else action

    iam_actions.extract_iam_action = single_action_of
