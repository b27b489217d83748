"""Customers, and the invoices that they get: one for each scheduled time."""

from dataclasses import dataclass
from datetime import datetime

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Customer:
    """Pays for each day from when it was opened."""

    customer_id: str
    daily_cents: int
    opened_at: str  # in UTC, such as 2026-01-01T02:00:00Z


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a customer owes for a period, which ends at the scheduled time."""

    customer_id: str
    scheduled_time: str
    period_start: str
    amount_cents: int


def bill(customer: Customer, since: str, until: str) -> Invoice | None:
    """The invoice of a customer for the time since the last complete run; None if none is due.

    Replace this with your service's own logic. It must give the same result when it is done again:
    after a crash, the same page is.
    """
    start = max(since, customer.opened_at)
    if start >= until:
        return None
    period = datetime.fromisoformat(until) - datetime.fromisoformat(start)
    amount = customer.daily_cents * int(period.total_seconds()) // SECONDS_PER_DAY
    return Invoice(customer.customer_id, until, start, amount)
