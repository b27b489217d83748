"""What people do with dead letters at night: look, try again, throw away."""

from typing import Any

import pytest

from scripts.dead_letters import discard, redrive, show

DEAD_LETTERS, QUEUE = "https://dead-letters", "https://queue"


class Sqs:
    """Stands in for SQS: messages that were received are invisible until they are released."""

    def __init__(self, *bodies: str) -> None:
        self.visible = [self.message(str(i), body) for i, body in enumerate(bodies)]
        self.held: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []

    @staticmethod
    def message(message_id: str, body: str) -> dict[str, Any]:
        attributes = {
            "cause": {"DataType": "String", "StringValue": "why"},
            "correlation_id": {"DataType": "String", "StringValue": "abc"},
        }
        return {
            "MessageId": message_id,
            "ReceiptHandle": f"handle-{message_id}",
            "Body": body,
            "MessageAttributes": attributes,
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

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)
        # As if it failed for good: it is back in the dead-letter queue at once.
        self.visible.append(self.message("back", message["MessageBody"]))


def test_a_look_shows_every_message_with_its_cause_and_leaves_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sqs = Sqs(*(f"body {i}" for i in range(12)))

    assert show(sqs, DEAD_LETTERS) == 12  # type: ignore[arg-type]

    shown = capsys.readouterr().out
    assert all(f"  cause: why\n  body:  body {i}\n" in shown for i in range(12))
    assert len(sqs.visible) == 12


def test_another_try_keeps_what_was_sent_and_drops_the_old_cause() -> None:
    sqs = Sqs("body")

    redrive(sqs, DEAD_LETTERS, QUEUE)  # type: ignore[arg-type]

    assert sqs.sent == [
        {
            "QueueUrl": QUEUE,
            "MessageBody": "body",
            "MessageAttributes": {"correlation_id": {"DataType": "String", "StringValue": "abc"}},
        }
    ]
    assert sqs.held == {}


def test_another_try_ends_even_if_everything_comes_back() -> None:
    sqs = Sqs("a", "b", "c")

    assert redrive(sqs, DEAD_LETTERS, QUEUE) == 3  # type: ignore[arg-type]

    assert [message["MessageBody"] for message in sqs.sent] == ["a", "b", "c"]


def test_a_message_that_could_not_be_sent_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = Sqs("body")

    def fail(**_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(sqs, "send_message", fail)

    with pytest.raises(ConnectionError):
        redrive(sqs, DEAD_LETTERS, QUEUE)  # type: ignore[arg-type]

    assert list(sqs.held) == ["handle-0"]


def test_one_message_is_thrown_away_and_the_others_stay() -> None:
    sqs = Sqs("a", "b", "c")

    assert discard(sqs, DEAD_LETTERS, "1")  # type: ignore[arg-type]
    assert not discard(sqs, DEAD_LETTERS, "1")  # type: ignore[arg-type]

    assert sorted(message["Body"] for message in sqs.visible) == ["a", "c"]
