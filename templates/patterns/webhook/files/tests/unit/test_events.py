"""The sample events in events/ are events that the functions understand."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.domain.deliveries import parse_delivery
from service.domain.payments import payment_after, type_of
from toolkit.runtime.http import correlation_id

if TYPE_CHECKING:
    from tests.unit.conftest import Receiver

EVENTS = Path(__file__).resolve().parents[2] / "events"


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text("utf-8"))
    return event


def test_sample_request_is_accepted_once_it_is_signed(receiver: "Receiver") -> None:
    event = sample("receive.json")
    body = event["body"].encode()
    signed = {name: [value] for name, value in receiver.signed(body, "delivery-1").items()}
    kept = {"Content-Type": event["multiValueHeaders"]["Content-Type"]}

    answer = receiver.post(body, {}, **event | {"multiValueHeaders": kept | signed})

    assert answer["statusCode"] == 202
    assert receiver.queue.sent[0][1] == correlation_id(event) == "sample"


def test_sample_request_has_a_signature_of_every_scheme_and_none_is_right(
    receiver: "Receiver",
) -> None:
    """So the function asks for its secret, whatever its scheme: the checks let that fail."""
    assert receiver.post(b"", {}, **sample("receive.json"))["statusCode"] == 401
    assert receiver.secrets.reads == 1


def test_batch_has_the_same_event() -> None:
    [record] = sample("process.json")["Records"]
    delivery = parse_delivery(record["body"])

    assert delivery.body == sample("receive.json")["body"].encode()
    assert payment_after(delivery, type_of(delivery)).payment_id == "payment-1"


def test_batch_has_receive_count_and_correlation_id() -> None:
    [record] = sample("process.json")["Records"]

    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["correlation_id"]["stringValue"] == "sample"
