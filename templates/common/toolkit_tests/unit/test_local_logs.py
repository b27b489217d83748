"""`make local` shows what functions log, and errors in red."""

import json

import pytest

from toolkit.local_aws.logs import shown


def line(**fields: str) -> str:
    return json.dumps({"level": "INFO", "location": "x:1", "service": "s", **fields})


def test_a_line_says_who_wrote_it_and_what_it_is_about() -> None:
    assert shown("Submit", line(message="accepted", order_id="a")) == (
        "Submit INFO accepted order_id=a"
    )


def test_an_error_comes_with_its_traceback_and_in_red() -> None:
    text = line(level="ERROR", message="raised", exception="Traceback: KeyError")

    assert shown("Process", text) == "Process ERROR raised\nTraceback: KeyError"
    assert shown("Process", text, in_colour=True) == (
        "\033[31mProcess ERROR raised\nTraceback: KeyError\033[0m"
    )


@pytest.mark.parametrize(
    "text",
    ["2026 1 Task timed out after 3.00 seconds", "Runtime.ExitError", "[ERROR] KeyError: 'a'"],
)
def test_a_function_that_died_is_an_error_too(text: str) -> None:
    assert shown("Process", text, in_colour=True).startswith("\033[31mProcess ERROR")


@pytest.mark.parametrize(
    "text", ["START RequestId: 1", "END RequestId: 1", "REPORT RequestId: 1", '{"_aws": {}}', "\n"]
)
def test_what_says_nothing_is_left_out(text: str) -> None:
    assert shown("Process", text) == ""
