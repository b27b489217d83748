"""What people do with parked orders at night: look, try again, or say that it is done."""

import json
from typing import Any

import pytest

from scripts.parked import resume, show

QUEUE = "https://parked"


class Sqs:
    """Stands in for SQS: messages that were received are invisible until they are released."""

    def __init__(self, *order_ids: str) -> None:
        self.visible = [self.message(order_id) for order_id in order_ids]
        self.held: dict[str, Any] = {}

    @staticmethod
    def message(order_id: str) -> dict[str, Any]:
        case = {
            "order": {"order_id": order_id},
            "step": "RefundPayment",
            "error": "KeyError",
            "cause": "why",
            "execution": f"arn-of-{order_id}",
            "task_token": f"token-of-{order_id}",
        }
        return {
            "MessageId": order_id,
            "ReceiptHandle": f"handle-{order_id}",
            "Body": json.dumps(case),
        }

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.visible))}}

    def receive_message(self, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803 (as boto3 names it)
        batch, self.visible = self.visible[:MaxNumberOfMessages], self.visible[MaxNumberOfMessages:]
        self.held |= {message["ReceiptHandle"]: message for message in batch}
        return {"Messages": batch} if batch else {}

    def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        del self.held[ReceiptHandle]

    def change_message_visibility_batch(self, Entries: list[Any], **_: Any) -> None:  # noqa: N803
        for entry in Entries:
            if message := self.held.pop(entry["ReceiptHandle"], None):
                self.visible.append(message)

    def left(self) -> set[str]:
        assert not self.held
        return {message["MessageId"] for message in self.visible}


class TaskDoesNotExist(Exception):  # noqa: N818 (as AWS names it)
    """Step Functions' own error."""


class TaskTimedOut(Exception):  # noqa: N818
    """Step Functions' own error."""


class StepFunctions:
    """Stands in for Step Functions, and remembers what it was told."""

    class exceptions:  # noqa: N801 (as boto3 names it)
        TaskDoesNotExist = TaskDoesNotExist
        TaskTimedOut = TaskTimedOut

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.told: list[tuple[str, str]] = []

    def _tell(self, answer: str, token: str) -> None:
        if self.error:
            raise self.error
        self.told.append((answer, token))

    def send_task_success(self, taskToken: str, **_: str) -> None:  # noqa: N803
        self._tell("done", taskToken)

    def send_task_failure(self, taskToken: str, error: str, **_: str) -> None:  # noqa: N803
        self._tell(error, taskToken)


def test_a_look_shows_every_case_with_its_cause_and_leaves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    order_ids = [f"order-{number}" for number in range(12)]
    sqs: Any = Sqs(*order_ids)

    assert show(sqs, QUEUE) == 12

    shown = capsys.readouterr().out
    assert all(f"{order_id}\n  step:      RefundPayment\n" in shown for order_id in order_ids)
    assert "KeyError: why" in shown
    assert sqs.left() == set(order_ids)


@pytest.mark.parametrize(("by_hand", "answer"), [(False, "TryAgainError"), (True, "done")])
def test_one_order_goes_on_and_the_others_stay(by_hand: bool, answer: str) -> None:
    sqs: Any = Sqs("a", "b", "c")
    stepfunctions: Any = StepFunctions()

    assert resume(sqs, stepfunctions, QUEUE, "b", by_hand=by_hand)

    assert stepfunctions.told == [(answer, "token-of-b")]
    assert sqs.left() == {"a", "c"}


def test_an_order_that_is_not_parked_is_not_resumed() -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions()

    assert not resume(sqs, stepfunctions, QUEUE, "b")

    assert stepfunctions.told == []
    assert sqs.left() == {"a"}


@pytest.mark.parametrize("error", [TaskDoesNotExist(), TaskTimedOut()])
def test_a_message_that_nobody_waits_for_any_more_is_cleared_away(error: Exception) -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions(error)

    assert not resume(sqs, stepfunctions, QUEUE, "a")

    assert sqs.left() == set()


def test_a_case_that_could_not_be_told_stays_parked() -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions(ConnectionError())

    with pytest.raises(ConnectionError):
        resume(sqs, stepfunctions, QUEUE, "a")

    assert sqs.left() == {"a"}
