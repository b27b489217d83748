"""What a customer owes, and when nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.invoices import Customer, Invoice, bill

CUSTOMER = Customer("a", daily_cents=240, opened_at="2026-01-01T00:00:00Z")
TIMES = st.integers(0, 23).map(lambda hour: f"2026-01-02T{hour:02}:00:00Z")


def test_customer_owes_for_the_time_since_the_last_run() -> None:
    invoice = bill(CUSTOMER, "2026-01-05T02:00:00Z", "2026-01-06T08:00:00Z")

    assert invoice == Invoice("a", "2026-01-06T08:00:00Z", "2026-01-05T02:00:00Z", 300)


def test_new_customer_owes_from_when_it_was_opened() -> None:
    invoice = bill(CUSTOMER, "2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z")

    assert invoice == Invoice("a", "2026-01-01T12:00:00Z", "2026-01-01T00:00:00Z", 120)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        pytest.param("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", id="the first run"),
        pytest.param("2025-12-30T00:00:00Z", "2026-01-01T00:00:00Z", id="opened at its end"),
    ],
)
def test_nothing_is_due_for_no_time(since: str, until: str) -> None:
    assert bill(CUSTOMER, since, until) is None


@given(st.lists(TIMES, min_size=2, unique=True).map(sorted))
def test_runs_one_after_the_other_bill_each_hour_once(times: list[str]) -> None:
    bills = [bill(CUSTOMER, since, until) for since, until in pairwise(times)]

    whole = bill(CUSTOMER, times[0], times[-1])
    assert whole
    assert sum(invoice.amount_cents for invoice in bills if invoice) == whole.amount_cents
