"""The benchmarks' own arithmetic, and that they find what there is to measure. No test says how long a thing takes."""

import json
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from helpers import PATTERNS, ROOT

from benchmarks.bare import source_of
from benchmarks.projects import patterns
from benchmarks.table import BEGIN, END, Compared, Counted, NotMeasured, Ratios, put, table


def cells(row: object) -> list[str]:
    return [cell.strip() for cell in str(row).strip("|").split("|")]


def test_a_ratio_is_the_median_of_those_of_the_pairs_with_the_smallest_and_the_largest() -> None:
    row = Compared("import", here=[0.2, 0.3, 0.8], bare=[0.1, 0.2, 0.2], aim="≤ 1.25")

    assert cells(row) == ["import", "300 ms", "200 ms", "2.00", "1.50 to 4.00", "≤ 1.25"]


def test_ratios_taken_elsewhere_are_summed_up_alike() -> None:
    assert cells(Ratios("import", [1.1, 1.0, 1.3])) == ["import", "", "", "1.10", "1.00 to 1.30", ""]


def test_pairs_that_are_no_pairs_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        str(Compared("import", here=[1, 2], bare=[1]))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (12.3456, "s", "12.3 s"),
        (0.0123, "s", "12.3 ms"),
        (4.56e-5, "s", "45.6 µs"),
        (1.423, "MB", "1.42 MB"),
        (1234.5, "messages/s", "1234 messages/s"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, unit: str, shown: str) -> None:
    assert cells(Counted("it", value, unit))[1] == shown


def test_what_is_not_measured_is_in_the_table_with_its_reason_and_breaks_no_column() -> None:
    rows = table([NotMeasured("it", "its source is a | b"), Counted("that", 1, "MB")]).splitlines()

    assert "not measured: its source is a / b" in rows[2]
    assert len({row.count("|") for row in rows}) == 1


def test_the_page_is_rewritten_between_its_markers_only(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")

    put("new", page)
    put("newer", page)

    assert page.read_text() == f"before\n\n{BEGIN}\n\nnewer\n\n{END}\n\nafter\n"


def test_a_page_without_markers_is_not_touched(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text")

    with pytest.raises(ValueError, match="lacks the lines"):
        put("new", page)

    assert page.read_text() == "text"


def test_the_documentation_has_the_markers() -> None:
    text = (ROOT / "docs/benchmarks.md").read_text()

    assert text.index(BEGIN) < text.index(END)


def test_every_pattern_of_the_catalogue_is_measured() -> None:
    assert patterns() == PATTERNS


RECORDED = {
    "services": ["sqs", "dynamodb"],
    "variables": {"TABLE": "731001"},
    "calls": [
        {
            "service": "dynamodb",
            "operation": "put_item",
            "params": {"TableName": "731001", "Item": {"id": {"S": "order-1"}, "of": {"S": "an order-1 of 2"}}},
        }
    ],
    "answer": {"statusCode": 201, "body": '{"order_id": "order-1"}'},
}


class Client:
    """Stands in for each client of a bare handler, and keeps the calls."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []

    def put_item(self, **params: object) -> None:
        self.calls.append(params)


def bare_handler(event: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> tuple[Callable[..., object], Client]:
    """The bare handler for a sample event, and its client."""
    client = Client()
    session = SimpleNamespace(client=lambda _: client)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(session=SimpleNamespace(Session=lambda: session)))
    monkeypatch.setenv("TABLE", "orders")
    module: dict[str, object] = {}
    exec(source_of(RECORDED, event), module)
    return module["handler"], client


def test_a_bare_handler_makes_the_recorded_calls_with_the_values_of_its_own_event(monkeypatch) -> None:
    sample = {"body": '{"order_id": "order-1", "quantity": 2}', "headers": None}
    handler, client = bare_handler(sample, monkeypatch)

    answer = handler({"body": '{"order_id": "order-2", "quantity": 2}', "headers": None}, None)

    assert client.calls == [{"TableName": "orders", "Item": {"id": {"S": "order-2"}, "of": {"S": "an order-2 of 2"}}}]
    assert json.loads(answer["body"]) == {"order_id": "order-2"}


def test_a_bare_handler_makes_them_for_each_record(monkeypatch) -> None:
    sample = {"Records": [{"body": '{"order_id": "order-1"}'}]}
    handler, client = bare_handler(sample, monkeypatch)

    handler({"Records": [{"body": json.dumps({"order_id": name})} for name in "ab"]}, None)

    assert [call["Item"]["id"]["S"] for call in client.calls] == ["a", "b"]


def test_a_bare_handler_finds_headers_however_they_are_written(monkeypatch) -> None:
    sample = {"body": "{}", "headers": {"Idempotency-Key": "order-1"}}
    handler, client = bare_handler(sample, monkeypatch)

    handler({"body": "{}", "headers": {"idempotency-key": "order-3"}}, None)

    assert client.calls[0]["Item"]["id"]["S"] == "order-3"
