"""Gap: ministack has no message move tasks of SQS, which redrive a dead-letter queue.

Closed, as AWS documents them:
- docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
- …/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html: a moved message is a new
  message, with a new id and time, and keeps its body and attributes
- …/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html: the rights that the caller needs; a
  message that was sent to the dead-letter queue directly has no source to go back to

Whether AWS also moves what arrives while a task runs is not documented. Here it does: so whoever
starts a task has to see to its end.
"""

import asyncio
import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_actions
from ministack.services import sqs

# As fast as AWS lets a task be; it gets there in batches of ten.
FASTEST, BATCH = 500, 10


def is_needed() -> bool:
    return "StartMessageMoveTask" not in sqs._HANDLERS


def close() -> None:
    sqs._HANDLERS |= {
        "StartMessageMoveTask": start,
        "ListMessageMoveTasks": list_tasks,
        "CancelMessageMoveTask": cancel,
    }
    close_for_iam()


@dataclass
class Task:
    """One move, past or under way."""

    source_arn: str
    destination_arn: str | None
    rate: int | None
    to_move: int
    moved: int = 0
    status: str = "RUNNING"
    failure: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: int = field(default_factory=lambda: int(time.time() * 1_000))

    @property
    def handle(self) -> str:
        """Names the task and its queue."""
        text = json.dumps({"taskId": self.id, "sourceArn": self.source_arn})
        return base64.b64encode(text.encode()).decode()

    def described(self) -> dict[str, Any]:
        """The answer of ListMessageMoveTasks, without empty fields."""
        entry = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source_arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure or None,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in entry.items() if value is not None}


tasks: list[Task] = []
under_way: set[asyncio.Task[None]] = set()


def start(request: dict[str, Any], _: str) -> dict[str, Any]:
    source_arn, destination_arn = request.get("SourceArn", ""), request.get("DestinationArn")
    rate = request.get("MaxNumberOfMessagesPerSecond")
    source = existing(source_arn, "SourceArn")
    if destination_arn is not None:
        existing(destination_arn, "DestinationArn")
    if rate is not None and not 1 <= rate <= FASTEST:
        raise invalid(f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid.")
    if not is_dead_letter_queue(source_arn):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    if any(task.source_arn == source_arn and task.status == "RUNNING" for task in tasks):
        raise invalid(
            "There is already a task running."
            " Only one active task is allowed for a source queue arn at a given time."
        )
    sqs._refresh_counts(source)
    there = int(source["attributes"]["ApproximateNumberOfMessages"])
    task = Task(source_arn, destination_arn, rate, to_move=there)
    tasks.insert(0, task)
    # In the event loop that serves SQS too, so that no request changes a queue meanwhile.
    under_way.add(asyncio.get_running_loop().create_task(run(task)))
    return {"TaskHandle": task.handle}


def list_tasks(request: dict[str, Any], _: str) -> dict[str, Any]:
    arn, most = request.get("SourceArn", ""), int(request.get("MaxResults", 1))
    existing(arn, "SourceArn")
    return {"Results": [task.described() for task in tasks if task.source_arn == arn][:most]}


def cancel(request: dict[str, Any], _: str) -> dict[str, Any]:
    arn = source_of(request.get("TaskHandle", ""))
    if not arn:
        raise invalid("Value for parameter TaskHandle is invalid.")
    existing(arn, "SourceArn")
    running = (task for task in tasks if task.status == "RUNNING")
    task = next((task for task in running if task.handle == request["TaskHandle"]), None)
    if not task:
        raise sqs._Err("ResourceNotFoundException", "Task does not exist.", 404)
    task.status = "CANCELLING"
    return {"ApproximateNumberOfMessagesMoved": task.moved}


async def run(task: Task) -> None:
    """Move messages, the oldest first, until none is left that is visible."""
    at_a_time = 1 if task.rate else BATCH
    while task.status == "RUNNING":
        with sqs._queues_lock:
            moved = [move_one(task) for _ in range(at_a_time)]
        if task.status == "RUNNING" and not all(moved):
            task.status = "COMPLETED"
        await asyncio.sleep(1 / task.rate if task.rate else 0.02)
    if task.status == "CANCELLING":
        task.status = "CANCELLED"


def move_one(task: Task) -> bool:
    """Move the oldest message, if there is one; a failure ends the task."""
    now = time.time()
    source = sqs._queue_by_arn(task.source_arn)
    waiting = [m for m in source["messages"] if m["visible_at"] <= now] if source else []
    if not waiting or task.status != "RUNNING":
        return False
    [oldest, *_] = waiting
    arn = task.destination_arn or oldest["sys"].get("DeadLetterQueueSourceArn")
    destination = sqs._queue_by_arn(arn) if arn else None
    if destination is None:
        task.status = "FAILED"
        gone = "AWS.SimpleQueueService.NonExistentQueue"
        task.failure = gone if arn else "CouldNotDetermineMessageSource"
        return False
    kept = {name: oldest["sys"][name] for name in ("AWSTraceHeader",) if name in oldest["sys"]}
    destination["messages"].append(
        {
            **oldest,
            "id": sqs.new_uuid(),
            "receipt_handle": None,
            "sent_at": now,
            "visible_at": now + sqs.queue_delay(destination),
            "receive_count": 0,
            "first_receive_at": None,
            "sys": {**sqs._build_send_sys_attrs(now, {}), **kept},
        }
    )
    source["messages"].remove(oldest)
    task.moved += 1
    sqs.esm_wake.set()
    return True


def existing(arn: str, parameter: str) -> dict[str, Any]:
    queue: dict[str, Any] | None = sqs._queue_by_arn(arn)
    if queue is None:
        text = f"The resource that you specified for the {parameter} parameter doesn't exist."
        raise sqs._Err("ResourceNotFoundException", text, 404)
    return queue


def is_dead_letter_queue(arn: str) -> bool:
    policies = [queue["attributes"].get("RedrivePolicy") for queue in sqs._queues.values()]
    return arn in [json.loads(policy)["deadLetterTargetArn"] for policy in policies if policy]


def source_of(handle: str) -> str:
    """The queue whose task a handle names; empty when it is no handle."""
    try:
        return str(json.loads(base64.b64decode(handle, validate=True))["sourceArn"])
    except (ValueError, KeyError, TypeError):
        return ""


def invalid(message: str) -> Exception:
    error: Exception = sqs._Err("InvalidParameterValue", message, 400)
    return error


# What else the caller needs, by operation: on the source, and on the destination.
NEEDED = {
    "StartMessageMoveTask": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "ListMessageMoveTasks": ("GetQueueAttributes",),
    "CancelMessageMoveTask": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
}


def close_for_iam() -> None:
    """IAM judges these calls by the queue they name, and a move by its caller's other rights."""
    arn_of, handle = iam_actions.extract_resource_arn, sqs.handle_request

    def arn_of_move(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> str:
        operation = headers.get("x-amz-target", "").removeprefix("AmazonSQS.")
        if service == "sqs" and operation in NEEDED:
            return arns_in(body)[0] or "*"
        arn: str = arn_of(service, method, path, headers, body, *rest)
        return arn

    async def handle_with_rights(
        method: str, path: str, headers: dict[str, str], body: bytes, params: dict[str, Any]
    ) -> Any:
        operation = headers.get("x-amz-target", "").removeprefix("AmazonSQS.")
        if operation in NEEDED:
            source, destination = arns_in(body)
            needed = [(action, source) for action in NEEDED[operation]]
            if destination:
                needed.append(("SendMessage", destination))
            for action, arn in needed:
                if refused(action, arn, headers, params):
                    text = f"Not authorized to perform: sqs:{action.lower()} on resource: {arn}"
                    return sqs._json_err_resp("AccessDenied", text, 403)
        return await handle(method, path, headers, body, params)

    iam_actions.extract_resource_arn = arn_of_move
    sqs.handle_request = handle_with_rights


def arns_in(body: bytes) -> tuple[str, str]:
    """The source and, where it is named, the destination of a request."""
    request = json.loads(body or b"{}")
    source = request.get("SourceArn") or source_of(request.get("TaskHandle", ""))
    return source, request.get("DestinationArn") or ""


def refused(action: str, arn: str, headers: dict[str, str], params: dict[str, Any]) -> bool:
    from ministack.core.iam_evaluator import enforce
    from ministack.core.router import extract_access_key_id, extract_region

    key = extract_access_key_id(headers, params)
    region = extract_region(headers)
    return enforce(key, f"sqs:{action}", "sqs", region, resource_arn=arn) is not None
