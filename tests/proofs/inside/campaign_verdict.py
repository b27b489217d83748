"""Judges what can be seen of a campaign's events from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .campaign_plan import Event


@dataclass(frozen=True)
class Seen:
    """What can be seen of the events from outside, by their names."""

    effects: Mapping[str, int]
    causes: Mapping[str, str]


def lost_in(seen: Seen, events: Sequence[Event]) -> list[str]:
    """Events that neither took effect nor wait with their cause."""
    gone = [event.name for event in events if not seen.effects.get(event.name) and event.name not in seen.causes]
    silent = [name for name, cause in seen.causes.items() if not cause and not seen.effects.get(name)]
    return [f"{name}: neither took effect nor failed with a cause" for name in gone] + [
        f"{name}: failed without a cause" for name in silent
    ]


def twice_in(*seen: Seen) -> list[str]:
    """Events that took effect more than once, at any time."""
    most: dict[str, int] = {}
    for one in seen:
        most |= {name: max(often, most.get(name, 0)) for name, often in one.effects.items()}
    return [f"{name}: took effect {often} times" for name, often in most.items() if often > 1]


def not_done(seen: Seen, events: Sequence[Event]) -> Iterator[str]:
    """Events that did not come to their right end, although nothing goes wrong any more."""
    for event in events:
        done, cause = bool(seen.effects.get(event.name)), seen.causes.get(event.name)
        if event.is_poison and (done or not cause):
            yield f"{event.name}: is poison, and {'took effect' if done else 'did not fail'}"
        elif not event.is_poison and not done:
            yield f"{event.name}: did not take effect after redrive: {cause or 'it did not fail'}"
        elif not event.is_poison and cause is not None:
            yield f"{event.name}: took effect, and is still a failure: {cause}"
