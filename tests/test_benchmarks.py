"""The benchmarks' own arithmetic, and that they find what there is to measure. No test says how long a thing takes."""

import json
import sys
import uuid
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from benchmarks.bare import source_of
from benchmarks.inside.identity import MADE, renamed
from benchmarks.table import BEGIN, Aim, Compared, Counted, NotMeasured, Ratios, tables
from helpers import PATTERNS
from pages import END, put
from projects import ROOT, patterns


def cells(line: object) -> list[str]:
    return [cell.strip() for cell in str(line).strip("|").split("|")]


def short(*rows: Compared | Counted | NotMeasured | Ratios) -> list[list[str]]:
    """The lines of the short table, without its head."""
    return [cells(line) for line in tables(rows).partition("\n\n")[0].splitlines()[2:]]


def test_a_ratio_is_the_median_of_those_of_the_pairs_with_the_smallest_and_the_largest() -> None:
    row = Compared("import", "queue", "Submit", here=[0.2, 0.3, 0.8], bare=[0.1, 0.2, 0.2])

    assert cells(row) == ["queue: import", "Submit", "300 ms", "200 ms", "2.00", "1.50 to 4.00"]


def test_ratios_taken_elsewhere_are_summed_up_alike() -> None:
    assert cells(Ratios("import", ratios=[1.1, 1.0, 1.3])) == ["import", "", "", "", "1.10", "1.00 to 1.30"]


def test_measurements_without_a_pair_are_an_error() -> None:
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
def test_numbers_have_three_significant_digits(value: float, unit: str, shown: str) -> None:
    assert cells(Counted("it", value=value, unit=unit))[2] == shown


def test_the_short_table_has_the_worst_of_a_pattern_whatever_is_bad() -> None:
    at_most, at_least = Aim("≤", 4, "MB"), Aim("≥", 0.8)
    rows = short(
        Counted("size", "queue", "Submit", aim=at_most, value=3, unit="MB"),
        Counted("size", "queue", "Process", aim=at_most, value=5, unit="MB"),
        Counted("size", "api", "GetItem", aim=at_most, value=1, unit="MB"),
        Compared("flow", "queue", "Submit", aim=at_least, here=[9], bare=[10]),
        Compared("flow", "queue", "Process", aim=at_least, here=[8], bare=[10]),
    )

    assert [(row[0], row[1], row[-2], row[-1]) for row in rows] == [
        ("queue: size", "Process", "≤ 4 MB", "no"),
        ("api: size", "GetItem", "≤ 4 MB", "yes"),
        ("queue: flow", "Process", "≥ 0.8", "yes"),
    ]


def test_an_aim_is_reached_by_the_figure_before_it_is_rounded() -> None:
    assert short(Ratios("import", aim=Aim("≤", 1.25), ratios=[1.254]))[0][-4:] == [
        "1.25",
        "1.25 to 1.25",
        "≤ 1.25",
        "no",
    ]


def test_an_aim_is_for_the_median() -> None:
    aim, ratios = Aim("≤", 1.2), [0.5, 1.3, 4.0]
    rows = short(Ratios("import", aim=aim, ratios=ratios), Compared("warm", aim=aim, here=ratios, bare=[1, 1, 1]))

    assert [row[-1] for row in rows] == ["no", "no"]


def test_figure_without_an_aim_has_no_verdict() -> None:
    assert short(Counted("size", value=1))[0][-2:] == ["", ""]


def test_what_is_not_measured_is_in_the_short_table_once_per_reason_and_breaks_no_column() -> None:
    rows = short(
        NotMeasured("flow", "saga", "Refund", reason="its source is a | b"),
        Counted("flow", "saga", "Start", value=1),
        NotMeasured("flow", "saga", "Release", reason="its source is a | b"),
    )

    assert [row[:3] for row in rows] == [
        ["saga: flow", "Start", "1"],
        ["saga: flow", "Refund, Release", "not measured: its source is a / b"],
    ]
    assert len({len(row) for row in rows}) == 1


def test_the_page_is_rewritten_between_its_markers_only(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", "utf-8")

    put("new", page, BEGIN)
    put("newer", page, BEGIN)

    assert page.read_text("utf-8") == f"before\n\n{BEGIN}\n\nnewer\n\n{END}\n\nafter\n"


def test_a_page_without_markers_is_not_touched(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text", "utf-8")

    with pytest.raises(ValueError, match="lacks the lines"):
        put("new", page, BEGIN)

    assert page.read_text("utf-8") == "text"


def test_the_documentation_has_the_markers() -> None:
    text = (ROOT / "docs/benchmarks.md").read_text("utf-8")

    assert text.index(BEGIN) < text.index(END)


def test_every_pattern_of_the_catalogue_is_measured() -> None:
    assert patterns() == PATTERNS


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_function_has_a_sample_event(pattern: str) -> None:
    [project] = (ROOT / "built" / pattern).glob("*__folder*")
    handlers = {path.stem for path in project.glob("src/service/handlers/[a-z]*.py")}

    assert {path.stem for path in project.glob("events/*.json")} == handlers


SAMPLE = {
    "path": "/orders",
    "headers": {"Idempotency-Key": "00000000-0000-0000-0000-000000000001", "Accept": "x"},
    "body": '{"order": {"order_id": "order-1"}, "quantity": 2}',
}


def test_another_run_has_other_identities_and_the_same_run_the_same() -> None:
    first, again, second = renamed(SAMPLE, "a"), renamed(SAMPLE, "a"), renamed(SAMPLE, "b")

    assert first == again
    assert first["headers"]["Idempotency-Key"] != second["headers"]["Idempotency-Key"]
    assert json.loads(first["body"]) == {"order": {"order_id": "order-1-a"}, "quantity": 2}


def test_an_identity_that_was_a_uuid_stays_one() -> None:
    event = renamed({"id": "0" * 32, "key": str(uuid.UUID(int=1))}, "a")

    assert all(MADE.fullmatch(value) for value in event.values())
    assert [len(value) for value in event.values()] == [32, 36]


def test_a_fingerprint_is_no_id() -> None:
    assert not MADE.search("a" * 64)


MADE_ID = "0123456789abcdef0123456789abcdef"
RECORDED = {
    "services": ["sqs", "dynamodb"],
    "variables": {"TABLE": "dev-orders"},
    "made": [MADE_ID],
    "calls": [
        {
            "service": "dynamodb",
            "operation": "put_item",
            "params": {
                "TableName": "dev-orders",
                "Item": {"id": {"S": "order-1"}, "of": {"S": "an order-1 of 2"}, "shipment": {"S": MADE_ID}},
            },
        }
    ],
    "answer": {"statusCode": 201, "body": f'{{"order_id": "order-1", "shipment": "{MADE_ID}"}}'},
}


class Client:
    """Stands in for each client of a bare handler, and keeps the calls."""

    def __init__(self) -> None:
        self.items: list[dict[str, dict[str, str]]] = []
        self.tables: set[str] = set()

    def put_item(self, TableName: str, Item: dict[str, dict[str, str]]) -> None:  # noqa: N803
        self.tables.add(TableName)
        self.items.append(Item)


Handler = Callable[[dict[str, object], None], dict[str, str]]


def bare_handler(event: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> tuple[Handler, Client]:
    """The bare handler for a sample event, and its client."""
    client = Client()
    session = SimpleNamespace(client=lambda _: client)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(session=SimpleNamespace(Session=lambda: session)))
    monkeypatch.setenv("TABLE", "prod-orders")
    module: dict[str, Handler] = {}
    exec(source_of({**RECORDED, "event": event}), module)
    return module["handler"], client


def test_a_bare_handler_makes_the_recorded_calls_with_the_values_of_its_own_event(monkeypatch) -> None:
    sample = {"body": '{"order_id": "order-1", "quantity": 2}', "headers": None}
    handler, client = bare_handler(sample, monkeypatch)

    answer = handler({"body": '{"order_id": "order-2", "quantity": 2}', "headers": None}, None)

    assert client.tables == {"prod-orders"}
    assert [item["of"] for item in client.items] == [{"S": "an order-2 of 2"}]
    assert json.loads(answer["body"])["order_id"] == "order-2"


def test_a_bare_handler_makes_a_new_id_where_ours_does_and_answers_with_it(monkeypatch) -> None:
    event = {"body": '{"order_id": "order-1"}', "headers": None}
    handler, client = bare_handler(event, monkeypatch)

    answers = [json.loads(handler(event, None)["body"])["shipment"] for _ in range(2)]

    assert [item["shipment"]["S"] for item in client.items] == answers
    assert len({*answers, MADE_ID}) == 3


def test_a_bare_handler_makes_them_for_each_record(monkeypatch) -> None:
    sample = {"Records": [{"body": '{"order_id": "order-1"}'}]}
    handler, client = bare_handler(sample, monkeypatch)

    handler({"Records": [{"body": json.dumps({"order_id": name})} for name in "ab"]}, None)

    assert [item["id"]["S"] for item in client.items] == ["a", "b"]


def test_a_bare_handler_finds_an_identity_deep_in_an_event(monkeypatch) -> None:
    handler, client = bare_handler({"order": {"order_id": "order-1"}}, monkeypatch)

    handler({"order": {"order_id": "order-4"}}, None)

    assert client.items[0]["id"]["S"] == "order-4"


def test_a_bare_handler_finds_headers_however_they_are_written(monkeypatch) -> None:
    sample = {"body": "{}", "headers": {"Idempotency-Key": "order-1"}}
    handler, client = bare_handler(sample, monkeypatch)

    handler({"body": "{}", "headers": {"idempotency-key": "order-3"}}, None)

    assert client.items[0]["id"]["S"] == "order-3"
