"""What goes on in a fault campaign: which events are sent, how often and in which order, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from toolkit.local_aws.stack import Fault, Stack

# How many of a thousand events are poison, and how many are sent more than once.
POISON = 30
DUPLICATES = 120
# So many times in a thousand events, somebody's next call goes wrong.
SINGLE: dict[Fault, int] = {
    "throttle": 30,
    "error before": 12,
    "error after": 12,
    "error late": 6,
    "silence before": 2,
    "silence after": 2,
    "crash before": 4,
    "crash after": 4,
    "crash late": 2,
    "freeze before": 1,
    "freeze after": 1,
}
# So many times in a thousand events, a function's calls go wrong until every attempt is used up: so many calls.
OUTAGES = 12
OUTAGE: dict[Fault, int] = {
    "throttle": 50,
    "error before": 50,
    "error after": 50,
    "error late": 50,
    "crash before": 6,
    "crash after": 6,
}
# A caller that is not answered tries again so often.
TRIES = 100
# Seconds: longer than any function's timeout, and than all the deliveries of a message.
LONGEST_WAIT = 300
# Of twenty events, one is sent in a burst, however much is at work already; but not more than so many.
LARGEST_BURST = 50


@dataclass(frozen=True)
class Event:
    """Something that happens outside, and that the stack gets a message about."""

    number: int
    is_poison: bool

    @property
    def name(self) -> str:
        """What tells it from all others; it stands in whatever the event leads to."""
        return f"event-{self.number}"


@dataclass(frozen=True)
class Outage:
    """Calls of functions, or of one, that go wrong."""

    fault: Fault
    times: int
    function: str | None


@dataclass(frozen=True)
class Send:
    """Events to send, duplicates among them."""

    events: Sequence[Event]
    in_a_burst: bool


class Campaign(Protocol):
    """What a pattern says in its campaign.py: how events go in, and what can be seen of them from outside.

    Whoever sends is a caller as callers are: what is not answered is sent again, a few times.
    """

    # So many events are sent in one go.
    chunk: int
    # With so many at work no more are sent, but in a burst: so a campaign lasts as long as its faults.
    at_once: int

    def __init__(self, stack: Stack, events: Sequence[Event]) -> None: ...

    def send(self, events: Sequence[Event]) -> None:
        """Tell the stack; several threads do so at a time."""

    def at_work(self) -> int:
        """How many events are under way, those that wait for a person left out."""

    def effects(self) -> dict[str, int]:
        """How often each event took effect, by its name."""

    def failures(self) -> dict[str, str]:
        """The cause of each event that waits for a person or was refused, by its name."""

    def redrive(self) -> None:
        """Redrive or resume all that failed."""

    def contradictions(self) -> dict[str, str]:
        """What else cannot be, by the event's name; asked when nothing is at work or waits to go on."""


class Answer(Protocol):
    """What an API answers."""

    @property
    def status(self) -> int:
        """Its code."""


Answered = TypeVar("Answered", bound=Answer)


def tried(call: Callable[[], Answered], times: int = TRIES) -> Answered:
    """The first answer that says what became of the call, or the last that does not."""
    for _ in range(times):
        answer = call()
        if answer.status < 500 and answer.status not in (409, 429):  # noqa: PLR2004
            break
        time.sleep(0.1)
    return answer


def wait_until(true: Callable[[], bool]) -> None:
    """Ask again and again, for a while."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still at work after {LONGEST_WAIT} s")
        time.sleep(0.05)


def events_of(count: int, seed: int) -> list[Event]:
    """The events, a few of which can never be done."""
    poison = set(Random(seed).sample(range(count), share(POISON, count)))  # noqa: S311
    return [Event(number, number in poison) for number in range(count)]


def steps_of(events: Sequence[Event], chunk: int, functions: Sequence[str], seed: int) -> list[Send | Outage]:
    """What to do, one after the other: the same for the same seed."""
    random = Random(seed)  # noqa: S311
    sent = _with_duplicates(events, random)
    length = min(LARGEST_BURST, len(sent) // 20)
    burst = random.randrange(len(sent) - length)
    steps: list[Send | Outage] = [
        Send(sent[start : start + chunk], in_a_burst=burst <= start < burst + length)
        for start in range(0, len(sent), chunk)
    ]
    for outage in _outages(len(events), functions, random):
        steps.insert(random.randrange(len(steps)), outage)
    return steps


def _with_duplicates(events: Sequence[Event], random: Random) -> list[Event]:
    """In an order of its own; what comes again comes at the same moment, or any time before or after."""
    sent = list(events)
    random.shuffle(sent)
    for again in random.choices(events, k=share(DUPLICATES, len(events))):
        near = random.random() < 0.5  # noqa: PLR2004
        sent.insert(sent.index(again) if near else random.randrange(len(sent)), again)
    return sent


def _outages(count: int, functions: Sequence[str], random: Random) -> Iterator[Outage]:
    for fault, often in SINGLE.items():
        for _ in range(share(often, count)):
            yield Outage(fault, 1, None)
    every = [Outage(fault, times, function) for fault, times in OUTAGE.items() for function in functions]
    random.shuffle(every)
    yield from islice(cycle(every), share(OUTAGES, count))


def share(of_a_thousand: int, count: int) -> int:
    """At least once, so that a short campaign has something of everything."""
    return max(1, round(of_a_thousand * count / 1000))
