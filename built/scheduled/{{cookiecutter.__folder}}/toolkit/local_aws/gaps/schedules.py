"""Gap: ministack's Scheduler sends `<aws.scheduler.…>` as it is, and drops a template's time zone.

Closed: it fills these in, and keeps the zone. It also looks every
half second whether something is due, not every ten. Its retries and dead-letter queue are missing.
docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, scheduler
from ministack.services.cloudformation import provisioners

SCHEDULE = "AWS::Scheduler::Schedule"
TICK_SECONDS = 0.5


def is_needed() -> bool:
    sent: list[str] = []
    eventbridge._dispatch_to_sqs = lambda _, body, __: sent.append(body)
    queue = f"arn:aws:sqs:{get_region()}:{get_account_id()}:queue"
    schedule = {
        "ScheduleExpression": "at(2026-01-01T02:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": queue, "RoleArn": "role", "Input": "<aws.scheduler.scheduled-time>"},
    }
    scheduler._create_schedule("test", schedule)
    scheduler._tick_schedules()
    return sent == ["<aws.scheduler.scheduled-time>"]


def close() -> None:
    scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
    invoke = eventbridge._invoke_target

    def invoke_with_context(target: dict[str, Any], event: Any, rule: Any, *rest: Any) -> None:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": filled_in(target["Input"], rule)}
        invoke(target, event, rule, *rest)

    eventbridge._invoke_target = invoke_with_context
    handler = provisioners._RESOURCE_HANDLERS[SCHEDULE]
    for step in ("create", "update"):
        handler[step] = with_time_zone(handler[step])


def filled_in(text: str, schedule: dict[str, Any]) -> str:
    """The input of a schedule's target, as Scheduler sends it."""
    due = scheduler._at_time_epoch(schedule["ScheduleExpression"])
    now = datetime.now(UTC).replace(second=0)
    for name, value in {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": f"{datetime.fromtimestamp(due, UTC) if due else now:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def with_time_zone(step: Callable[..., Any]) -> Callable[..., Any]:
    def keep_zone(*arguments: Any, **options: Any) -> Any:
        made = step(*arguments, **options)
        arn, properties = made[1]["Arn"], arguments[-2]
        for schedule in scheduler._schedules.values():
            if schedule["Arn"] == arn and "ScheduleExpressionTimezone" in properties:
                schedule["ScheduleExpressionTimezone"] = properties["ScheduleExpressionTimezone"]
        return made

    return keep_zone
