"""Adds visits to the totals of their sites and hours, each visit once."""

from collections.abc import Collection, Sequence
from typing import Any

from service.domain.visits import Placed, totals_of
from toolkit.runtime.observability import tracer
from toolkit.runtime.once_per_event import OncePerEvent, Written


class Totals:
    """The table of totals, one item per site and hour."""

    def __init__(self, writer: OncePerEvent, table: str) -> None:
        self._writer = writer
        self._table = table

    @tracer.capture_method(capture_response=False)
    def add(self, placed: Sequence[Placed], now: int) -> Written:
        """Add visits that were not counted before; one write for each site and hour."""

        def effect(new: Collection[int]) -> list[Any]:
            totals = totals_of(placed[number] for number in new)
            return [
                {
                    "Update": {
                        "TableName": self._table,
                        "Key": {"site": {"S": site}, "hour": {"S": hour}},
                        "UpdateExpression": "ADD visits :count, amount :amount",
                        "ExpressionAttributeValues": {
                            ":count": {"N": str(total.count)},
                            ":amount": {"N": str(total.amount)},
                        },
                    }
                }
                for (site, hour), total in totals.items()
            ]

        events = [(one.visit.event_id, one.visit.to_json()) for one in placed]
        return self._writer.write(events, effect, now)
