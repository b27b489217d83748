"""Every invocation leaves one closing line, and errors reach Lambda."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from service.observability import correlation_id_or, logger, observed

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """What was logged so far."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_handler_that_returns_leaves_a_line_with_all_that_operations_need(
    context: Any, lines: Lines
) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> str:
        return "answer"

    assert handler({}, context) == "answer"

    last = next(line for line in lines() if line.get("message") == "finished")
    assert last["level"] == "INFO"
    assert last["service"] == "test"
    assert last["function_name"] == context.function_name
    assert last["function_request_id"] == context.aws_request_id
    assert isinstance(last["cold_start"], bool)
    assert last["duration_ms"] >= 0


def test_a_handler_that_raises_is_logged_and_raises(context: Any, lines: Lines) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        handler({}, context)

    messages = [line.get("message") for line in lines()]
    assert messages.count("the handler raised an error") == 1
    assert messages.count("failed") == 1


def test_nothing_is_carried_over_to_the_next_invocation(context: Any, lines: Lines) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        if event:
            logger.append_keys(order_id="a")

    handler({"first": True}, context)
    handler({}, context)

    *_, last = [line for line in lines() if line.get("message") == "finished"]
    assert "order_id" not in last


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 64])
def test_a_correlation_id_of_the_caller_is_kept(given: str) -> None:
    assert correlation_id_or("ours", given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", 'a"b', "a\nb", "{}", "ä"])
def test_anything_else_stays_out_of_the_logs(given: str | None) -> None:
    assert correlation_id_or("ours", given) == "ours"
