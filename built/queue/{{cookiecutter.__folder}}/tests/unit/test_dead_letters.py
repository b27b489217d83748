"""A message that is set aside keeps its body and attributes, and says why."""

from typing import Any

from service.adapters.dead_letters import dead_letter_sender


class Sqs:
    """Stands in for SQS, and remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)


def set_aside(cause: str) -> dict[str, Any]:
    sqs = Sqs()
    record = {
        "body": "the body",
        "messageAttributes": {"correlation_id": {"stringValue": "abc", "dataType": "String"}},
    }
    dead_letter_sender(sqs, "https://dead-letters")(record, cause)  # type: ignore[arg-type]
    [message] = sqs.sent
    return message


def test_body_and_attributes_are_kept_and_the_cause_is_added() -> None:
    message = set_aside("ValueError: no")

    assert message == {
        "QueueUrl": "https://dead-letters",
        "MessageBody": "the body",
        "MessageAttributes": {
            "correlation_id": {"DataType": "String", "StringValue": "abc"},
            "cause": {"DataType": "String", "StringValue": "ValueError: no"},
        },
    }


def test_a_cause_that_sqs_would_refuse_is_made_acceptable() -> None:
    cause = set_aside("\x00" * 5_000)["MessageAttributes"]["cause"]["StringValue"]

    assert set(cause) == {"?"}
    assert len(cause) == 1_000
