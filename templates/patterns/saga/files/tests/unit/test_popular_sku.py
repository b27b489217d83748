"""How many orders of one sku go well in a second: docs/adr/0004 and README.md give the figures.

A simulation of the code's own retries. What AWS does is not known better than this: a transaction
holds its items for some milliseconds, and another one is refused meanwhile.
"""

import heapq
import random

import pytest
import yaml

from toolkit.runtime.transactions import _FIRST_PAUSE, _LONGEST_PAUSE, CONFLICT_SECONDS
from toolkit.stacks import PROJECT

HELD = 0.02  # Seconds that a transaction holds its item.
ANSWER = 0.005  # Seconds until a conflict is answered.
SECONDS = 120
WORKFLOW = yaml.safe_load((PROJECT / "statemachine" / "workflow.asl.yaml").read_text("utf-8"))
[RETRY] = WORKFLOW["States"]["ReserveStock"]["Retry"]


def share(per_second: float) -> tuple[float, float]:
    """The shares of orders that the workflow has to retry, and that break."""
    chance = random.Random(1)  # noqa: S311 (a simulation)
    ahead: list[tuple[float, int, int, float, int]] = []
    now, count = 0.0, 0
    while now < SECONDS:
        now += chance.expovariate(per_second)
        count += 1
        heapq.heappush(ahead, (now, count, 0, now, 0))
    free_at, retried, broken = 0.0, 0, 0
    while ahead:
        now, order, conflicts, since, retries = heapq.heappop(ahead)
        if now >= free_at:
            free_at = now + HELD
            continue
        again = now + ANSWER + chance.uniform(0, min(_FIRST_PAUSE * 2**conflicts, _LONGEST_PAUSE))
        if again - since <= CONFLICT_SECONDS:
            heapq.heappush(ahead, (again, order, conflicts + 1, since, retries))
        elif retries < RETRY["MaxAttempts"]:
            retried += 1
            pause = RETRY["IntervalSeconds"] * RETRY["BackoffRate"] ** retries
            again = now + chance.uniform(0, min(pause, RETRY["MaxDelaySeconds"]))
            heapq.heappush(ahead, (again, order, 0, again, retries + 1))
        else:
            broken += 1
    return retried / count, broken / count


@pytest.mark.parametrize("per_second", [5, 20])
def test_twenty_orders_a_second_need_no_workflow_retry(per_second: float) -> None:
    assert share(per_second) == (0, 0)


def test_forty_orders_a_second_need_some_workflow_retries() -> None:
    retried, broken = share(40)

    assert 0 < retried < 0.1
    assert broken == 0


def test_sixty_orders_a_second_are_too_many() -> None:
    """An item is free for fifty transactions a second."""
    _, broken = share(60)

    assert broken > 0.05
