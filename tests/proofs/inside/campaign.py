"""Prints what became of a pattern's events in a campaign of faults: figures, and what should not be.

Arguments: the pattern's campaign.py, how many events, and the seed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from toolkit.local_aws.faults import LATE_SECONDS
from toolkit.local_aws.stack import Stack, deploy, local_aws

from .campaign_plan import LONGEST_WAIT, Campaign, Event, Outage, Send, events_of, steps_of, wait_until
from .campaign_verdict import Seen, lost_in, not_done, twice_in

# Callers, and those of them who call but in a burst; between the two is what each function may do at a time.
SENDERS, CONCURRENCY, STEADY_SENDERS = 8, 5, 4
# What is tried again can come to another end, from which it has to go on once more.
REDRIVES = 3

Figures = dict[str, int]


def main() -> None:
    """Deploy the stack, run the campaign, and tell."""
    path, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    events = events_of(count, seed)
    with local_aws() as aws:
        stack = deploy(aws)
        campaign = campaign_of(path)(stack, events)
        steps = steps_of(events, campaign.chunk, limited_functions(stack), seed)
        figures, wrong = run(stack, campaign, events, steps)
    print(json.dumps({"figures": figures, "wrong": wrong}))


def run(
    stack: Stack, campaign: Campaign, events: Sequence[Event], steps: Sequence[Send | Outage]
) -> tuple[Figures, list[str]]:
    """Send all events while faults happen, and redrive what failed."""
    start = time.perf_counter()
    send_all(stack, campaign, steps)
    came = stack.aws.end_faults()
    time.sleep(LATE_SECONDS + 1)
    wait_until(lambda: not campaign.at_work())
    before = Seen(campaign.effects(), campaign.failures())
    after, poison = before, {event.name for event in events if event.is_poison}
    for _ in range(REDRIVES):
        campaign.redrive()
        wait_until(lambda: not campaign.at_work())
        after = Seen(campaign.effects(), campaign.failures())
        if after.causes.keys() <= poison:
            break
    lost, twice = lost_in(before, events), twice_in(before, after)
    wrong = [*lost, *twice, *not_done(after, events)]
    wrong += [f"{name}: {what}" for name, what in campaign.contradictions().items()]
    figures = {
        "events": len(events),
        "duplicates": sum(len(step.events) for step in steps if isinstance(step, Send)) - len(events),
        **kinds(came),
        "poison": len(poison),
        "took effect": sum(map(bool, before.effects.values())),
        "failed": len(before.causes),
        "redriven": len(before.causes.keys() - after.causes.keys()),
        "lost": len(lost),
        "twice": len(twice),
        "seconds": round(time.perf_counter() - start),
    }
    return figures, wrong


def send_all(stack: Stack, campaign: Campaign, steps: Sequence[Send | Outage]) -> None:
    """Do each step, some of them at the same time."""
    under_way: set[Future[None]] = set()
    with ThreadPoolExecutor(SENDERS) as senders:
        for step in steps:
            if isinstance(step, Outage):
                stack.aws.fail(None, step.fault, step.times, step.function)
                continue
            if not step.in_a_burst:
                wait_until(lambda: campaign.at_work() < campaign.at_once)
                under_way = at_most(STEADY_SENDERS - 1, under_way)
            under_way.add(senders.submit(campaign.send, step.events))
        at_most(0, under_way)


def at_most(left: int, under_way: set[Future[None]]) -> set[Future[None]]:
    """Wait until no more than so many are under way: those that are."""
    while len(under_way) > left:
        done, under_way = wait(under_way, LONGEST_WAIT, FIRST_COMPLETED)
        assert done, f"not sent after {LONGEST_WAIT} s"
        for one in done:
            one.result()
    return under_way


def limited_functions(stack: Stack) -> list[str]:
    """The names of the stack's functions, which from now on, to the end, are throttled above a few at a time."""
    awslambda = stack.aws.client("lambda")
    pages = awslambda.get_paginator("list_functions").paginate()
    names = [str(found["FunctionName"]) for page in pages for found in page["Functions"]]
    for name in names:
        awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=CONCURRENCY)
    return sorted(names)


def campaign_of(path: Path) -> Callable[[Stack, Sequence[Event]], Campaign]:
    """The class Campaign in a pattern's file."""
    spec = importlib.util.spec_from_file_location("pattern_campaign", path)
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[[Stack, Sequence[Event]], Campaign] = module.Campaign
    return made


def kinds(came: Mapping[Any, int]) -> Figures:
    """How often each kind of fault came, whatever the moment."""
    found = dict.fromkeys(("throttle", "error", "silence", "crash", "freeze"), 0)
    for fault, often in came.items():
        found[fault.partition(" ")[0]] += often
    return found


if __name__ == "__main__":
    main()
