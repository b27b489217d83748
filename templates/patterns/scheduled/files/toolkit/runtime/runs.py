"""Runs at set times: each scheduled time once, one run at a time, page by page.

One DynamoDB item per schedule holds the watermark (the last scheduled time that is complete), and
of the run at work its checkpoint and its lease. Each write of the item is conditional on the
fencing token, which each lease raises by one: whoever lost the lease writes nothing any more.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Meta, Struct

from toolkit.runtime.fields import InvalidFieldsError, read, text
from toolkit.runtime.transactions import cancellation_reasons, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# A transaction holds 100 items, and one of them is the state of the run.
# docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MOST_EFFECTS = 99
# How far a sender's clock may be ahead of ours.
CLOCK_SECONDS = 60
SECONDS_PER_HOUR = 3_600

ScheduleArn = Annotated[
    str,
    text(
        r"arn:aws[a-z-]*:scheduler:[a-z0-9-]+:\d{12}:schedule/[\w.-]{1,64}/[\w.-]{1,64}",
        "the ARN of a schedule",
    ),
]
# As EventBridge Scheduler writes it: texts of this form sort by time.
# docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
Time = Annotated[
    str,
    text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a time in UTC such as 2026-01-01T02:00:00Z"),
]


class RunMessage(Struct, frozen=True):
    """Asks for a page of a run: the first comes from the schedule, each other from the run."""

    schedule: ScheduleArn
    scheduled_time: Time
    attempt: Annotated[str, text(r"\d{1,3}", "a number as text")] = "1"
    page: Annotated[int, Meta(ge=0, description="a whole number from 0")] = 0

    def to_json(self) -> str:
        """The body of the message."""
        return msgspec.json.encode(self).decode()


class State(Struct, frozen=True, omit_defaults=True):
    """What is known of a schedule. Without `scheduled_time`, no run is at work."""

    schedule: str
    token: int = 0
    watermark: str = ""
    scheduled_time: str = ""
    since: str = ""
    page: int = 0
    cursor: str = ""
    owner: str = ""
    handed_on: bool = False
    lease_until: int = 0


class Limits(Struct, frozen=True):
    """What a run must not exceed."""

    lease_seconds: int
    catch_up_hours: int
    max_pages: int


class Passed(Enum):
    """Why a message asks for nothing that has to be done."""

    COMPLETE = "this scheduled time is complete"
    AT_WORK = "this scheduled time is at work"
    OVERLAPS = "another run is at work"


class RefusedRunError(Exception):
    """The run must not start or go on, however often it is tried."""


class LeaseLostError(Exception):
    """Somebody else took the lease. SQS delivers the message again; by then it may be done."""


def parse_run(body: str | None) -> RunMessage:
    """Read a message.

    Raises:
        InvalidFieldsError: it is invalid.
    """
    if "<aws.scheduler." in (body or ""):
        raise InvalidFieldsError(
            [
                "EventBridge Scheduler did not replace a placeholder such as"
                " <aws.scheduler.scheduled-time>: run that time with make run-now AT=…, and discard"
                " this message"
            ]
        )
    message = read(body, RunMessage)
    try:
        seconds_of(message.scheduled_time)
    except ValueError:
        raise InvalidFieldsError(["scheduled_time is no date"]) from None
    return message


def seconds_of(time: str) -> int:
    """A scheduled time in seconds since the epoch."""
    return int(datetime.fromisoformat(time).timestamp())


def leased(
    state: State, message: RunMessage, owner: str, now: int, limits: Limits, *, redriven: bool
) -> State | Passed:
    """The state in which a message has the lease; or why it does not get it.

    Messages come twice, late, and again after a crash. The lease goes to one that
    - starts a run while none is at work, or
    - had it before: SQS delivers it again after a crash, or
    - asks for the page that was handed on, or
    - was redriven by an operator: it is all that is left of the run, or
    - comes when the lease has expired: whoever had it crashed.

    Raises:
        RefusedRunError: the run must not start, or not go on.
    """
    time = message.scheduled_time
    if time <= state.watermark:
        return Passed.COMPLETE
    claim = {"token": state.token + 1, "owner": owner, "lease_until": now + limits.lease_seconds}
    if not state.scheduled_time:
        _refuse_to_start(state, time, now, limits)
        # Nothing is known of the time before the first run: it only sets the watermark.
        return msgspec.structs.replace(
            state, scheduled_time=time, since=state.watermark or time, **claim
        )
    is_of_this_run = time == state.scheduled_time
    is_next = is_of_this_run and state.handed_on and message.page == state.page
    # A later run takes up what crashed. The one after it covers its scheduled time.
    is_free = now >= state.lease_until and time >= state.scheduled_time
    if not (is_next or is_free or (is_of_this_run and (redriven or owner == state.owner))):
        return Passed.AT_WORK if is_of_this_run else Passed.OVERLAPS
    if state.page >= limits.max_pages:
        raise RefusedRunError(
            f"the run of {state.scheduled_time} has reached MaxPages, which is {limits.max_pages}:"
            " raise it or PageSize in samconfig.toml, deploy, and redrive this message"
        )
    return msgspec.structs.replace(state, handed_on=False, **claim)


def _refuse_to_start(state: State, time: str, now: int, limits: Limits) -> None:
    if seconds_of(time) > now + CLOCK_SECONDS:
        raise RefusedRunError(f"{time} is in the future: send the message again after it")
    if not state.watermark:
        return
    hours = (seconds_of(time) - seconds_of(state.watermark)) / SECONDS_PER_HOUR
    if hours > limits.catch_up_hours:
        raise RefusedRunError(
            f"the run would cover {hours:.0f} hours since {state.watermark}, and CatchUpHours is"
            f" {limits.catch_up_hours}: raise it in samconfig.toml, deploy, and redrive this"
            " message"
        )


class Runs:
    """The table of schedules and their runs."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, limits: Limits) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._limits = limits

    def take(
        self, message: RunMessage, owner: str, now: int, *, redriven: bool = False
    ) -> State | Passed:
        """Take the lease for the page that is next, of the run that is at work.

        Args:
            message: what asks for it.
            owner: the id of the message: it stays the same when SQS delivers it again.
            now: seconds since the epoch.
            redriven: whether an operator sent it back from the dead-letter queue.

        Raises:
            RefusedRunError: the run must not start, or not go on.
            LeaseLostError: somebody else took the lease at the same moment.
        """
        state = self._load(message.schedule)
        found = leased(state, message, owner, now, self._limits, redriven=redriven)
        if isinstance(found, State):
            try:
                self._dynamodb.put_item(**self._put(found, state.token))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                raise LeaseLostError(f"of {state.schedule}") from error
        return found

    def hand_on(
        self, run: State, effects: Sequence["TransactWriteItemTypeDef"], cursor: str, now: int
    ) -> RunMessage:
        """Write the effects of a page and the checkpoint, together. Returns the next message.

        Raises:
            LeaseLostError: somebody else took the lease; nothing was written.
        """
        done = msgspec.structs.replace(
            run,
            page=run.page + 1,
            cursor=cursor,
            handed_on=True,
            lease_until=now + self._limits.lease_seconds,
        )
        self._write(done, effects)
        return RunMessage(run.schedule, run.scheduled_time, page=done.page)

    def complete(self, run: State, effects: Sequence["TransactWriteItemTypeDef"]) -> None:
        """Write the effects of the last page and the watermark, together.

        Raises:
            LeaseLostError: somebody else took the lease; nothing was written.
        """
        self._write(State(run.schedule, run.token, watermark=run.scheduled_time), effects)

    def _load(self, schedule: str) -> State:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"schedule": {"S": schedule}}, ConsistentRead=True
        )
        item: Any = answer.get("Item")
        return msgspec.json.decode(item["state"]["S"], type=State) if item else State(schedule)

    def _write(self, state: State, effects: Sequence["TransactWriteItemTypeDef"]) -> None:
        try:
            write_all(self._dynamodb, [{"Put": self._put(state, state.token)}, *effects])
        except ClientError as error:
            [first, *_] = cancellation_reasons(error) or [{}]
            if first.get("Code") != "ConditionalCheckFailed":
                raise
            raise LeaseLostError(f"of {state.schedule}") from error

    def _put(self, state: State, token: int) -> Any:
        """Puts a state, if the token is still the one that is known."""
        return {
            "TableName": self._table,
            "Item": {
                "schedule": {"S": state.schedule},
                "token": {"N": str(state.token)},
                # For people who look: everything is in the state.
                "watermark": {"S": state.watermark},
                "state": {"S": msgspec.json.encode(state).decode()},
            },
            "ConditionExpression": "#token = :token" if token else "attribute_not_exists(schedule)",
            **(
                {
                    "ExpressionAttributeNames": {"#token": "token"},
                    "ExpressionAttributeValues": {":token": {"N": str(token)}},
                }
                if token
                else {}
            ),
        }
