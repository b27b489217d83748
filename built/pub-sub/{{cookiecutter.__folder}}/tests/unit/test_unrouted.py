"""What no subscription wants is set aside, with its type as the cause."""

import importlib
from types import ModuleType
from typing import Any

import pytest

from toolkit.testing import Measured


@pytest.fixture
def unrouted(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "https://dead-letters")
    monkeypatch.setenv("MAX_RECEIVE_COUNT", "5")
    return importlib.import_module("service.handlers.unrouted")


def record(name: str, kind: str = "", attempt: int = 1) -> dict[str, Any]:
    return {
        "messageId": name,
        "body": name,
        "attributes": {"ApproximateReceiveCount": str(attempt)},
        "messageAttributes": {"type": {"stringValue": kind, "dataType": "String"}} if kind else {},
    }


def test_each_message_goes_to_the_dead_letter_queue_with_its_cause(
    unrouted: ModuleType, context: Any, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[tuple[str, str]] = []
    monkeypatch.setattr(
        unrouted, "send_dead_letter", lambda record, cause: aside.append((record["body"], cause))
    )

    answer = unrouted.handler({"Records": [record("a", "other"), record("b")]}, context)

    assert answer == {"batchItemFailures": []}
    assert aside == [
        ("a", "no subscription wants the type other"),
        ("b", "no subscription wants a message without a type"),
    ]
    assert measured() == {"MessagesUnrouted": 2}


@pytest.mark.parametrize("attempt", [1, 5], ids=["first attempt", "last attempt"])
def test_message_that_cannot_be_set_aside_stays_in_the_queue(
    unrouted: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    """After the last attempt, SQS itself moves it."""

    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(unrouted, "send_dead_letter", fail)

    answer = unrouted.handler({"Records": [record("a", attempt=attempt)]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "a"}]}
