"""Gap: ministack takes a second answer to a task token, until the workflow has taken the first.

Closed: it is refused. TaskTimedOut: "The task token has either expired or the task associated with
the token has already been closed."
docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
"""

import threading
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions


def is_needed() -> bool:
    stepfunctions._task_tokens["test"] = {"event": threading.Event()}
    answers = [stepfunctions._send_task_success({"taskToken": "test"}) for _ in range(2)]
    return [status for status, _, _ in answers] == [200, 200]


def close() -> None:
    stepfunctions._send_task_success = once(stepfunctions._send_task_success)
    stepfunctions._send_task_failure = once(stepfunctions._send_task_failure)


def once(answer: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def answer_once(request: dict[str, Any]) -> Any:
        waiting = stepfunctions._task_tokens.get(request.get("taskToken"))
        if waiting and waiting["event"].is_set():
            return error_response_json("TaskTimedOut", "The task has already been closed", 400)
        return answer(request)

    return answer_once
