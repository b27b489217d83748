"""Gap: ministack refuses StartExecution with a used name, for any input.

Closed: "If you call StartExecution with the same name and input as a running execution, the call
succeeds and returns the same response as the original request."
docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import stepfunctions


def is_needed() -> bool:
    of_region = f"arn:aws:states:{get_region()}:{get_account_id()}"
    machine, execution = f"{of_region}:stateMachine:M", f"{of_region}:execution:M:e"
    stepfunctions._state_machines[machine] = {"name": "M", "roleArn": "role"}
    stepfunctions._executions[execution] = {
        "executionArn": execution,
        "startDate": "2026-01-01T00:00:00Z",
        "status": "RUNNING",
        "input": "{}",
    }
    status, _, _ = stepfunctions._start_execution(
        {"stateMachineArn": machine, "name": "e", "input": "{}"}
    )
    return bool(status != 200)


def close() -> None:
    start = stepfunctions._start_execution

    def start_once(request: dict[str, Any]) -> Any:
        answer = start(request)
        if answer[0] != 200 and b"ExecutionAlreadyExists" in answer[2]:
            text = json.loads(answer[2])["message"]
            running = stepfunctions._executions.get(text.split("'")[1])
            if (
                running
                and running["status"] == "RUNNING"
                and running["input"] == request.get("input", "{}")
            ):
                return json_response(
                    {"executionArn": running["executionArn"], "startDate": running["startDate"]}
                )
        return answer

    stepfunctions._start_execution = start_once
