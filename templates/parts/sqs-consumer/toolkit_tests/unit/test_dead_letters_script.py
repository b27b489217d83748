"""What people do with dead letters at night: look, try again, throw away."""

from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from toolkit.commands import dead_letters
from toolkit.commands.dead_letters import cancel, discard, main, redrive, show

DEAD_LETTERS, QUEUE = "https://dead-letters", "https://queue"
MODEL = botocore.session.get_session().get_service_model("sqs")
CAUSE = {"dead_letter_cause": {"DataType": "String", "StringValue": "why"}}


class Sqs:
    """Stands in for SQS: messages that were received are invisible until they are released.

    A move task moves one message each time somebody looks at it.
    """

    def __init__(self, *bodies: str, comes_back: bool = False) -> None:
        self.visible = [self.message(str(i), body) for i, body in enumerate(bodies)]
        self.held: dict[str, Any] = {}
        self.comes_back = comes_back
        self.started: list[dict[str, Any]] = []
        self.moved: list[str] = []
        self.looks = 0
        self.task: dict[str, Any] = {}

    @staticmethod
    def message(message_id: str, body: str, **more: Any) -> dict[str, Any]:
        return {
            "MessageId": message_id,
            "ReceiptHandle": f"handle-{message_id}",
            "Body": body,
            "MessageAttributes": CAUSE,
        } | more

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803 (as boto3 names it)
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(len(self.visible)),
                "ApproximateNumberOfMessagesNotVisible": str(len(self.held)),
                "QueueArn": QueueUrl.replace("https://", "arn:"),
            }
        }

    def receive_message(self, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        batch, self.visible = self.visible[:MaxNumberOfMessages], self.visible[MaxNumberOfMessages:]
        self.held |= {message["ReceiptHandle"]: message for message in batch}
        return {"Messages": batch} if batch else {}

    def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        del self.held[ReceiptHandle]

    def change_message_visibility_batch(self, Entries: list[Any], **_: Any) -> None:  # noqa: N803
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= 10
        for entry in Entries:
            if message := self.held.pop(entry["ReceiptHandle"], None):
                self.visible.append(message)

    def start_message_move_task(self, **request: Any) -> dict[str, str]:
        shape: Any = MODEL.operation_model("StartMessageMoveTask").input_shape
        assert not ParamValidator().validate(request, shape).has_errors()
        self.started.append(request)
        self.task = {
            "Status": "RUNNING",
            "TaskHandle": "task-1",
            "StartedTimestamp": len(self.started),
        }
        return {"TaskHandle": "task-1"}

    def list_message_move_tasks(self, SourceArn: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        assert (SourceArn, MaxResults) == ("arn:dead-letters", 1)
        self.looks += 1
        assert self.looks < 20, "the task is never cancelled"
        if self.task.get("Status") == "RUNNING":
            self._move()
        return {"Results": [dict(self.task)] if self.task else []}

    def _move(self) -> None:
        if not self.visible:
            self.task["Status"] = "COMPLETED"
            return
        message = self.visible.pop(0)
        self.moved.append(message["Body"])
        self.task["ApproximateNumberOfMessagesMoved"] = len(self.moved)
        if self.comes_back:
            self.visible.append(message)

    def cancel_message_move_task(self, TaskHandle: str) -> None:  # noqa: N803
        if self.task["Status"] != "RUNNING":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Cancel")
        assert TaskHandle == "task-1"
        self.task["Status"] = "CANCELLED"


def test_a_look_shows_every_message_with_its_cause_and_leaves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sqs = Sqs(*(f"body {i}" for i in range(12)))

    assert show(sqs, DEAD_LETTERS) == 12  # type: ignore[arg-type]

    shown = capsys.readouterr().out
    assert all(f"  cause: why\n  body:  body {i}\n" in shown for i in range(12))
    assert len(sqs.visible) == 12


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param({"MessageAttributes": CAUSE}, "why", id="sent by the worker"),
        pytest.param({"MessageAttributes": {}}, "could not be delivered", id="no function had it"),
        pytest.param(
            {"MessageAttributes": {str(number): {"StringValue": ""} for number in range(10)}},
            "as dead_letter_id",
            id="no room for the cause",
        ),
        pytest.param(
            {"Attributes": {"DeadLetterQueueSourceArn": "arn:queue"}, "MessageAttributes": {}},
            "died or timed out",
            id="moved by SQS",
        ),
        pytest.param(
            {"Attributes": {"DeadLetterQueueSourceArn": "arn:queue"}, "MessageAttributes": CAUSE},
            "died or timed out",
            id="moved by SQS after a redrive: the cause is that of the time before",
        ),
    ],
)
def test_a_cause_of_an_earlier_failure_is_not_shown_as_that_of_this_one(
    message: dict[str, Any], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs: Any = Sqs()
    sqs.visible = [sqs.message("1", "body", **message)]

    show(sqs, DEAD_LETTERS)

    [cause] = [line for line in capsys.readouterr().out.splitlines() if "cause:" in line]
    assert shown in cause


def test_what_scheduler_could_not_deliver_is_shown_with_its_error() -> None:
    error = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": "no permission"}}
    message: Any = Sqs.message("1", "body", MessageAttributes=error)

    assert dead_letters.cause_of(message) == "no permission"


def test_a_redrive_names_the_queue_for_sqs_does_not_know_where_messages_belong() -> None:
    sqs = Sqs("a", "b")

    assert redrive(sqs, DEAD_LETTERS, QUEUE, pause=0) == 2  # type: ignore[arg-type]

    assert sqs.started == [{"SourceArn": "arn:dead-letters", "DestinationArn": "arn:queue"}]
    assert sqs.moved == ["a", "b"]


def test_a_redrive_may_have_a_rate() -> None:
    sqs = Sqs("a")

    redrive(sqs, DEAD_LETTERS, QUEUE, rate=7, pause=0)  # type: ignore[arg-type]

    assert sqs.started[0]["MaxNumberOfMessagesPerSecond"] == 7


def test_a_second_redrive_is_told_from_the_one_before() -> None:
    sqs = Sqs("a")
    redrive(sqs, DEAD_LETTERS, QUEUE, pause=0)  # type: ignore[arg-type]
    sqs.visible = [sqs.message("2", "b")]

    assert redrive(sqs, DEAD_LETTERS, QUEUE, pause=0)  # type: ignore[arg-type]

    assert sqs.moved == ["a", "b"]


def test_a_redrive_ends_even_if_everything_comes_back() -> None:
    sqs = Sqs("a", "b", "c", comes_back=True)

    assert redrive(sqs, DEAD_LETTERS, QUEUE, pause=0) == 3  # type: ignore[arg-type]

    assert sqs.moved == ["a", "b", "c"]
    assert sqs.task["Status"] == "CANCELLED"


def test_a_redrive_that_is_interrupted_is_cancelled_and_says_how_far_it_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sqs = Sqs(*"abcdef", comes_back=True)

    def interrupt(_: float) -> None:
        if len(sqs.moved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(dead_letters, "time", SimpleNamespace(sleep=interrupt))

    with pytest.raises(SystemExit, match="Cancelled: about 2 of 6 were sent back"):
        redrive(sqs, DEAD_LETTERS, QUEUE)  # type: ignore[arg-type]

    assert sqs.task["Status"] == "CANCELLED"


def test_nothing_is_started_for_an_empty_queue() -> None:
    sqs = Sqs()

    assert redrive(sqs, DEAD_LETTERS, QUEUE, pause=0) == 0  # type: ignore[arg-type]

    assert sqs.started == []


def test_a_redrive_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = Sqs("a")

    def fail() -> None:
        sqs.task |= {"Status": "FAILED", "FailureReason": "AccessDenied"}

    monkeypatch.setattr(sqs, "_move", fail)

    with pytest.raises(SystemExit, match="AccessDenied"):
        redrive(sqs, DEAD_LETTERS, QUEUE, pause=0)  # type: ignore[arg-type]


def test_a_redrive_under_way_can_be_cancelled_and_only_then() -> None:
    sqs: Any = Sqs("a", "b", comes_back=True)
    assert cancel(sqs, DEAD_LETTERS) == 0
    sqs.start_message_move_task(SourceArn="arn:dead-letters")

    assert cancel(sqs, DEAD_LETTERS) == 1
    assert cancel(sqs, DEAD_LETTERS) == 0


def test_one_message_is_thrown_away_and_the_others_stay() -> None:
    sqs = Sqs("a", "b", "c")

    assert discard(sqs, DEAD_LETTERS, "1")  # type: ignore[arg-type]
    assert not discard(sqs, DEAD_LETTERS, "1")  # type: ignore[arg-type]

    assert sorted(message["Body"] for message in sqs.visible) == ["a", "c"]


@pytest.mark.parametrize("arguments", [["discard"], ["redrive", "--rate", "501"]])
def test_what_is_missing_or_out_of_bounds_is_said(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["dead_letters", *arguments])

    with pytest.raises(SystemExit, match="2"):
        main()
