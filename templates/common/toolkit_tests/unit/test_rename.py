"""A noun is replaced wherever it stands for the example, and a bad one is refused with a reason."""

import subprocess
from pathlib import Path

import pytest

from toolkit.commands import rename
from toolkit.commands.rename import plural_of, read, refusal, replace

ORDER = ("order", "orders")
BOOKING = ("booking", "bookings")
ENTRY = ("entry", "entries")


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("booking", "bookings"),
        ("entry", "entries"),
        ("survey", "surveys"),
        ("address", "addresses"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("branch", "branches"),
        ("dish", "dishes"),
        ("month", "months"),
    ],
)
def test_regular_plurals(singular: str, plural: str) -> None:
    assert plural_of(singular) == plural


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("order orders", "booking bookings"),
        ("an_order_id, order_queue", "a_booking_id, booking_queue"),
        ("get-order /v1/orders/{orderId}", "get-booking /v1/bookings/{bookingId}"),
        ("OrderQueue, OrdersTable, newOrders", "BookingQueue, BookingsTable, newBookings"),
        ("ORDERS_TABLE, MAX_ORDER", "BOOKINGS_TABLE, MAX_BOOKING"),
        ("Order Intake: an order's id", "Booking Intake: a booking's id"),
        (r"'one\norders'", r"'one\nbookings'"),
        ("order1, 2orders", "booking1, 2bookings"),
        (
            "reorder, ordered, border, Orderly, RECORDERS",
            "reorder, ordered, border, Orderly, RECORDERS",
        ),
    ],
)
def test_every_case_style_and_no_part_of_a_word(before: str, after: str) -> None:
    assert replace(ORDER, BOOKING, before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A booking, a booking", "An entry, an entry"),
        ("a `booking`, an 'entry'", "an `entry`, an 'entry'"),
        ("test_a_booking_ends", "test_an_entry_ends"),
        ("# It is a\n    # booking", "# It is an\n    # entry"),
        ("Text is a\nbooking", "Text is an\nentry"),
        ("a new booking; data booking", "a new entry; data entry"),
        ("a = booking; (a, booking); a - booking", "a = entry; (a, entry); a - entry"),
    ],
)
def test_its_article(before: str, after: str) -> None:
    assert replace(BOOKING, ENTRY, before) == after


@pytest.mark.parametrize(
    ("singular", "article"),
    [
        ("hour", "an"),
        ("house", "a"),
        ("user", "a"),
        ("upload", "an"),
        ("unit", "a"),
        ("item", "an"),
    ],
)
def test_the_article_follows_the_sound(singular: str, article: str) -> None:
    assert replace(ORDER, (singular, f"{singular}s"), "an order") == f"{article} {singular}"


def test_the_names_of_the_project_stay() -> None:
    text = "order-intake-dev: an order-intake of an order"

    replaced = replace(ORDER, BOOKING, text, ["order-intake", "eu-west-1", ""])

    assert replaced == "order-intake-dev: an order-intake of a booking"


FILES = {
    "src/orders.py": "order = 'job' # the task\nclass Slot: ...\n",
    "docs/page.md": "An order of a person.\n",
    "template.yaml": "Name: visit-dev\n",
}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (("", "s"), BOOKING, "FROM=: give one word of 3 to 20 lowercase letters."),
        (ORDER, ("", "s"), "TO=: give one word"),
        (ORDER, ("id", "ids"), "TO=id: give one word"),
        (ORDER, ("a" * 21, "aas"), f"TO={'a' * 21}: give one word"),
        (ORDER, ("work-order", "work-orders"), "TO=work-order: give one word"),
        (ORDER, ("Booking", "Bookings"), "TO=Booking: give one word"),
        (ORDER, ("buchung", "buchungen 2"), "TO=buchung, plural 'buchungen 2': give it in"),
        (ORDER, ORDER, "TO=order: this is the same word as FROM"),
        (ORDER, ("orders", "orderses"), "TO=orders: src/orders.py uses this word"),
        (ORDER, ("sheep", "sheep"), "PLURAL=sheep: this is the singular"),
        (ORDER, ("class", "classes"), "TO=class: class means something in Python or YAML"),
        (ORDER, ("match", "matches"), "TO=match: match means"),
        (ORDER, ("object", "objects"), "TO=object: object means"),
        (ORDER, ("warning", "warnings"), "TO=warning: warning means"),
        (ORDER, ("dic", "dict"), "TO=dic: dict means"),
        (ORDER, ("null", "nulls"), "TO=null: null means"),
        (ORDER, ("job", "jobs"), "TO=job: src/orders.py:1 uses this word already"),
        (ORDER, ("slot", "slots"), "TO=slot: src/orders.py:2 uses this word already"),
        (("ordr", "ordrs"), BOOKING, "FROM=ordr: the project does not use 'ordr'"),
        (("orders", "orderses"), BOOKING, "FROM=orders: the project does not use 'orderses'"),
    ],
)
def test_a_noun_that_will_not_do(old: tuple[str, str], new: tuple[str, str], reason: str) -> None:
    refused = refusal(old, new, FILES, [])

    assert refused.startswith(reason)
    assert refused.endswith(".")


@pytest.mark.parametrize(
    "new", [BOOKING, ("task", "tasks"), ("person", "people"), ("visit", "visits")]
)
def test_a_noun_that_only_prose_or_the_name_of_the_project_has_will_do(
    new: tuple[str, str],
) -> None:
    assert refusal(ORDER, new, FILES, ["visit-dev"]) == ""


def test_a_project_that_is_called_as_the_noun_cannot_be_told_from_it() -> None:
    refused = refusal(ORDER, BOOKING, FILES, ["orders"])

    assert refused.startswith(
        "FROM=order: .copier-answers.yml has 'orders' as a name of the project"
    )


def test_a_file_that_git_does_not_know_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/bookings.py").touch()

    refused = refusal(ORDER, BOOKING, FILES, [])

    assert refused.startswith("TO=booking: src/bookings.py exists, and git does not know it")


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=Me", "-c", "user.email=me@example.com")
    command = ["git", *identity, *arguments]  # by its name, as the toolkit does
    subprocess.run(command, check=True, capture_output=True)


def test_only_what_git_would_bring_back_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="not a git repository"):
        read()
    git("init", "--quiet")
    for path, text in {**FILES, "toolkit/a.py": "order", "requirements/a.txt": "order"}.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text, "utf-8")
    Path("picture.png").write_bytes(b"\xff")
    Path("link").symlink_to("template.yaml")
    with pytest.raises(SystemExit, match=r"not committed:\n.*docs/"):
        read()
    git("add", "--all")
    git("commit", "--message", "All")

    assert read() == {**FILES, "picture.png": "", "link": ""}


def test_nothing_is_written_when_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    Path("orders.py").write_text(FILES["src/orders.py"], "utf-8")
    git("add", "--all")
    git("commit", "--message", "All")
    monkeypatch.setattr("sys.argv", ["rename", "--from", "order", "--to", "job"])

    with pytest.raises(SystemExit, match="Nothing was changed"):
        rename.main()

    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "orders.py"]
    assert Path("orders.py").read_text("utf-8") == FILES["src/orders.py"]
