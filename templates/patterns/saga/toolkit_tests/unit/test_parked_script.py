"""What people do with parked cases: list, retry, or mark as done."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.commands.parked import check_is_one, everyone, main, of_key, of_step, resume, show

QUEUE = "https://parked"


class Sqs:
    """Stands in for SQS: messages that were received are invisible until they are released."""

    def __init__(self, *case_ids: str, step: str = "RefundPayment", caller: str = "1") -> None:
        self.visible = [self.message(case_id, step, caller) for case_id in case_ids]
        self.held: list[dict[str, Any]] = []
        self.receipts = 0

    @staticmethod
    def message(case_id: str, step: str = "RefundPayment", caller: str = "1") -> dict[str, Any]:
        key = f"{case_id}-{caller}"
        case = {
            "input": {"id": case_id},
            "step": step,
            "error": "KeyError",
            "cause": "why",
            "execution": f"arn:{key}",
            "task_token": f"token-of-{key}",
        }
        return {"MessageId": f"{key}-{step}", "Body": json.dumps(case)}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(len(self.visible)),
                "ApproximateNumberOfMessagesNotVisible": str(len(self.held)),
            }
        }

    def receive_message(self, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803 (as boto3 names it)
        batch, self.visible = self.visible[:MaxNumberOfMessages], self.visible[MaxNumberOfMessages:]
        for message in batch:
            self.receipts += 1
            message["ReceiptHandle"] = f"handle-{self.receipts}"
        self.held += batch
        return {"Messages": [dict(message) for message in batch]} if batch else {}

    def delete_message_batch(self, Entries: list[Any], **_: Any) -> None:  # noqa: N803
        """With an older receipt than the latest, nothing is deleted, and that is no error."""
        handles = {entry["ReceiptHandle"] for entry in Entries}
        for messages in (self.visible, self.held):
            messages[:] = [m for m in messages if m.get("ReceiptHandle") not in handles]

    def change_message_visibility_batch(self, Entries: list[Any], **_: Any) -> None:  # noqa: N803
        assert 1 <= len(Entries) <= 10
        handles = {entry["ReceiptHandle"] for entry in Entries}
        self.visible += [m for m in self.held if m["ReceiptHandle"] in handles]
        self.held = [m for m in self.held if m["ReceiptHandle"] not in handles]

    def left(self) -> set[str]:
        assert not self.held
        return {json.loads(message["Body"])["input"]["id"] for message in self.visible}


class TaskDoesNotExist(Exception):  # noqa: N818 (as AWS names it)
    """Step Functions' own error."""


class TaskTimedOut(Exception):  # noqa: N818
    """Step Functions' own error."""


class StepFunctions:
    """Stands in for Step Functions, and remembers its answers."""

    class exceptions:  # noqa: N801 (as boto3 names it)
        TaskDoesNotExist = TaskDoesNotExist
        TaskTimedOut = TaskTimedOut

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.answers: list[tuple[str, str]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def _tell(self, answer: str, token: str) -> None:
        if self.error:
            raise self.error
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if token in [of for _, of in self.answers]:
            raise TaskTimedOut
        self.answers.append((answer, token))

    def send_task_success(self, taskToken: str, **_: str) -> None:  # noqa: N803
        self._tell("done", taskToken)

    def send_task_failure(self, taskToken: str, error: str, **_: str) -> None:  # noqa: N803
        self._tell(error, taskToken)


def test_a_look_shows_every_case_with_its_cause_and_leaves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    case_ids = [f"case-{number}" for number in range(12)]
    sqs: Any = Sqs(*case_ids)

    assert show(sqs, QUEUE) == 12

    shown = capsys.readouterr().out
    assert all(f"{case_id}-1\n  step:      RefundPayment\n" in shown for case_id in case_ids)
    assert "KeyError: why" in shown
    assert sqs.left() == set(case_ids)


@pytest.mark.parametrize("which", ["b", "b-1"], ids=["id", "key"])
@pytest.mark.parametrize(("by_hand", "answer"), [(False, "TryAgainError"), (True, "done")])
def test_one_order_goes_on_and_the_others_stay(by_hand: bool, answer: str, which: str) -> None:
    sqs: Any = Sqs("a", "b", "c")
    stepfunctions: Any = StepFunctions()

    assert resume(sqs, stepfunctions, QUEUE, of_key(which), by_hand=by_hand) == 1

    assert stepfunctions.answers == [(answer, "token-of-b-1")]
    assert sqs.left() == {"a", "c"}


def test_all_orders_of_a_step_go_on_and_the_others_stay() -> None:
    sqs: Any = Sqs(*(f"case-{number}" for number in range(25)))
    sqs.visible += Sqs("other-1", "other-2", step="ReleaseStock").visible
    stepfunctions: Any = StepFunctions()

    assert resume(sqs, stepfunctions, QUEUE, of_step("RefundPayment"), rate=10_000) == 25

    assert sqs.left() == {"other-1", "other-2"}


def test_all_orders_go_on_each_once_and_at_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("toolkit.commands.parked.time.sleep", pauses.append)
    sqs: Any = Sqs(*(f"case-{number}" for number in range(25)))
    stepfunctions: Any = StepFunctions()

    assert resume(sqs, stepfunctions, QUEUE, everyone, rate=5) == 25

    assert len({token for _, token in stepfunctions.answers}) == len(stepfunctions.answers) == 25
    assert pauses == [0.2] * 25
    assert sqs.left() == set()


def test_what_is_parked_once_more_stays() -> None:
    """Or an order that fails for good would be tried for ever."""
    sqs: Any = Sqs("a", "b")
    stepfunctions: Any = StepFunctions()
    stepfunctions.meanwhile = lambda: sqs.visible.append(sqs.message("again", caller="2"))

    assert resume(sqs, stepfunctions, QUEUE, everyone, rate=10_000) == 2

    assert sqs.left() == {"again"}


def test_messages_are_hidden_from_others_only_while_they_are_looked_at() -> None:
    sqs: Any = Sqs(*(f"case-{number}" for number in range(25)))
    stepfunctions: Any = StepFunctions()
    hidden: list[int] = []
    stepfunctions.meanwhile = lambda: hidden.append(len(sqs.held))

    resume(sqs, stepfunctions, QUEUE, everyone, rate=10_000)

    assert hidden == [0]


def test_two_operators_at_once_resume_each_order_once() -> None:
    sqs: Any = Sqs(*(f"case-{number}" for number in range(25)))
    stepfunctions: Any = StepFunctions()
    counts: list[int] = []

    def second_operator() -> None:
        counts.append(resume(sqs, stepfunctions, QUEUE, everyone, rate=10_000))

    stepfunctions.meanwhile = second_operator
    counts.append(resume(sqs, stepfunctions, QUEUE, everyone, rate=10_000))

    tokens = [token for _, token in stepfunctions.answers]
    assert len(set(tokens)) == len(tokens) == sum(counts) == 25
    assert sqs.left() == set()


def test_a_message_that_somebody_looked_at_meanwhile_is_deleted_as_well() -> None:
    """Its receipt is not the latest any more."""
    sqs: Any = Sqs("a", "b")
    stepfunctions: Any = StepFunctions()
    stepfunctions.meanwhile = lambda: show(sqs, QUEUE)

    resume(sqs, stepfunctions, QUEUE, everyone, rate=10_000)

    assert sqs.left() == set()


def test_an_order_that_is_not_parked_is_not_resumed() -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions()

    assert resume(sqs, stepfunctions, QUEUE, of_key("b")) == 0
    with pytest.raises(SystemExit, match="b is not parked"):
        check_is_one(sqs, QUEUE, "b")

    assert stepfunctions.answers == []
    assert sqs.left() == {"a"}


def test_an_id_that_two_callers_have_used_has_to_be_told_apart() -> None:
    sqs: Any = Sqs("a")
    sqs.visible += Sqs("a", caller="2").visible

    with pytest.raises(SystemExit, match="a-1, a-2"):
        check_is_one(sqs, QUEUE, "a")

    check_is_one(sqs, QUEUE, "a-2")
    assert len(sqs.visible) == 2


@pytest.mark.parametrize("error", [TaskDoesNotExist(), TaskTimedOut()])
def test_a_message_that_nobody_waits_for_any_more_is_cleared_away(error: Exception) -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions(error)

    assert resume(sqs, stepfunctions, QUEUE, everyone) == 0

    assert sqs.left() == set()


def test_a_case_that_could_not_be_told_stays_parked() -> None:
    sqs: Any = Sqs("a")
    stepfunctions: Any = StepFunctions(ConnectionError())

    with pytest.raises(ConnectionError):
        resume(sqs, stepfunctions, QUEUE, everyone)

    assert sqs.left() == {"a"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all", "--key", "a"],
        ["--all", "--done-by-hand"],
        ["--step", "RefundPayment", "--done-by-hand"],
        ["--all", "--rate", "0"],
    ],
    ids=["which?", "all and one", "all by hand", "a step by hand", "no rate"],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["parked", "resume", *arguments])

    with pytest.raises(SystemExit, match="2"):
        main()
