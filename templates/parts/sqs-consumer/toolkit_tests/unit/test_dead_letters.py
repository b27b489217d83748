"""A dead letter keeps its body and attributes, and has its cause."""

import base64
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from toolkit.runtime.dead_letters import CAUSE, dead_letter_sender
from toolkit.testing import Lines

SQS = botocore.session.get_session().get_service_model("sqs")
SEND: Any = SQS.operation_model("SendMessage").input_shape


class Sqs:
    """Stands in for SQS: refuses what botocore or SQS would, and remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> dict[str, str]:
        errors = ParamValidator().validate(message, SEND)
        assert not errors.has_errors(), errors.generate_report()
        # docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
        assert len(message["MessageAttributes"]) <= 10
        self.sent.append(message)
        return {"MessageId": "new-id"}


def send_dead_letter(cause: str, **record: Any) -> dict[str, Any]:
    sqs = Sqs()
    given = {"messageId": "old-id", "body": "the body", "attributes": {}, "messageAttributes": {}}
    dead_letter_sender(sqs, "https://dead-letters")(given | record, cause)  # type: ignore[arg-type]
    [message] = sqs.sent
    return message


def attribute(data_type: str, value: str | bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """An attribute as Lambda hands it over, and as SendMessage takes it."""
    empty: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    if isinstance(value, bytes):
        text = base64.b64encode(value).decode()
        return (
            {"binaryValue": text, "dataType": data_type, **empty},
            {"DataType": data_type, "BinaryValue": value},
        )
    return (
        {"stringValue": value, "dataType": data_type, **empty},
        {"DataType": data_type, "StringValue": value},
    )


def test_body_and_attributes_are_kept_and_the_cause_is_added() -> None:
    message = send_dead_letter(
        "ValueError: no",
        messageAttributes={"correlation_id": {"stringValue": "abc", "dataType": "String"}},
    )

    assert message == {
        "QueueUrl": "https://dead-letters",
        "MessageBody": "the body",
        "MessageAttributes": {
            "correlation_id": {"DataType": "String", "StringValue": "abc"},
            CAUSE: {"DataType": "String", "StringValue": "ValueError: no"},
        },
    }


LABELS = st.from_regex(r"(\.[a-z]{1,8})?", fullmatch=True)
ATTRIBUTES = st.one_of(
    st.builds(attribute, st.builds("String{}".format, LABELS), st.text("abc é☃", min_size=1)),
    st.builds(attribute, st.builds("Number{}".format, LABELS), st.integers().map(str)),
    st.builds(attribute, st.builds("Binary{}".format, LABELS), st.binary(min_size=1)),
)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True).filter(lambda name: name != CAUSE)


@given(st.dictionaries(NAMES, ATTRIBUTES, max_size=10), st.booleans())
def test_attributes_of_every_type_are_kept_exactly(
    attributes: dict[str, tuple[dict[str, Any], dict[str, Any]]], redriven: bool
) -> None:
    received = {name: given for name, (given, _) in attributes.items()}
    if redriven and len(received) < 10:
        received[CAUSE] = attribute("String", "of an earlier failure")[0]

    sent = send_dead_letter("now", messageAttributes=received)["MessageAttributes"]

    cause = sent.pop(CAUSE, None)
    assert sent == {name: wanted for name, (_, wanted) in attributes.items()}
    assert (cause is None) == (len(attributes) == 10)
    assert cause is None or cause["StringValue"] == "now"


def test_the_cause_of_an_earlier_failure_is_replaced_even_among_ten() -> None:
    received = {f"name-{number}": attribute("Number", "1")[0] for number in range(9)}
    received[CAUSE] = attribute("String", "of an earlier failure")[0]

    sent = send_dead_letter("now", messageAttributes=received)["MessageAttributes"]

    assert sent[CAUSE] == {"DataType": "String", "StringValue": "now"}
    assert len(sent) == 10


@pytest.mark.parametrize("count", [0, 10])
def test_the_log_has_the_cause_under_the_new_id(lines: Lines, count: int) -> None:
    """With ten attributes there is no room for it in the message."""
    received = {f"name-{number}": attribute("Number", "1")[0] for number in range(count)}

    send_dead_letter("ValueError: no", messageAttributes=received)

    [line] = lines()
    assert (line["dead_letter_id"], line["cause"]) == ("new-id", "ValueError: no")


def test_trace_and_group_are_kept() -> None:
    """A standard queue has groups as well, where it is shared fairly."""
    message = send_dead_letter(
        "no", attributes={"AWSTraceHeader": "Root=1-5e-1", "MessageGroupId": "customer-1"}
    )

    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5e-1"}}
    assert message["MessageSystemAttributes"] == trace
    assert message["MessageGroupId"] == "customer-1"
    assert "MessageDeduplicationId" not in message


def test_a_fifo_queue_keeps_messages_apart_that_shared_a_deduplication_id() -> None:
    fifo = {"MessageGroupId": "customer-1", "MessageDeduplicationId": "same"}

    message = send_dead_letter("no", attributes=fifo)

    assert (message["MessageGroupId"], message["MessageDeduplicationId"]) == (
        "customer-1",
        "old-id",
    )


def test_a_cause_that_sqs_would_refuse_is_made_acceptable() -> None:
    cause = send_dead_letter("\x00" * 5_000)["MessageAttributes"][CAUSE]["StringValue"]

    assert set(cause) == {"?"}
    assert len(cause) == 1_000
