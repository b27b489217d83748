"""Faults, survived: a short campaign per pattern, and that a campaign finds what is broken."""

import shutil
from pathlib import Path

import pytest
from helpers import PATTERNS, run_python
from projects import MODULES, ROOT, Variant, make_project
from proofs.faults import Breakage, CampaignError, Report, any_seed, breakages, campaign, failure, script_of, table
from proofs.inside.campaign_plan import OUTAGE, SINGLE, Event, Outage, Send, events_of, steps_of
from proofs.inside.campaign_verdict import Seen, lost_in, not_done, twice_in

# Enough for each kind of fault to come several times: what is broken on purpose shows in 200. `make prove-faults` sends
# 10,000.
EVENTS = 300
FUNCTIONS = ["Submit", "Process"]
GOOD, POISON = Event(0, is_poison=False), Event(1, is_poison=True)
ASIDE = {POISON.name: "no order"}


@pytest.mark.long
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_event_takes_effect_once_or_fails_with_its_cause(pattern: str, tmp_path: Path) -> None:
    seed = any_seed()

    report = campaign(make_project(Variant(pattern), tmp_path), pattern, EVENTS, seed)

    print(table([report]))  # noqa: T201 - the seed is printed in any case
    assert not report.wrong, failure(report)
    faults = {kind for fault in SINGLE for kind in fault.split()[:1]}
    assert all(report.figures[kind] for kind in faults), "each kind of fault has come"


@pytest.mark.long
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_campaign_finds_a_broken_promise_and_names_the_events(pattern: str, tmp_path: Path) -> None:
    """The first of them; `make prove-faults` breaks all."""
    [breakage, *_] = breakages(pattern).values()

    assert all(line.startswith("event-") for line in breakage.found(pattern, tmp_path))


def test_each_breakage_applies(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("sound", "utf-8")

    with pytest.raises(CampaignError, match="has no 'other' to break"):
        Breakage("file", "other", "faulty", events=1, seed=1).apply(tmp_path)


def test_pattern_without_a_campaign_is_an_error() -> None:
    with pytest.raises(CampaignError, match=r"unheard-of/campaign\.py is missing: write it"):
        breakages("unheard-of")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_a_campaign_has_to_know_fits_the_project(pattern: str, tmp_path: Path) -> None:
    project = make_project(Variant(pattern), tmp_path)
    shutil.copy(script_of(pattern), project / "campaign.py")

    done = run_python(project, "-m", "mypy", "campaign.py", MYPYPATH=str(MODULES))

    assert done.returncode == 0, done.stdout


# --- What goes on ---


def test_the_same_seed_sends_the_same_events_with_the_same_faults() -> None:
    def steps(seed: int) -> list[Send | Outage]:
        return steps_of(events_of(200, seed), 10, FUNCTIONS, seed)

    assert steps(7) == steps(7)
    assert steps(7) != steps(8)


@pytest.mark.parametrize("chunk", [1, 10])
def test_every_event_is_sent_some_twice_some_in_a_burst_and_in_another_order(chunk: int) -> None:
    events = events_of(1_000, seed=1)
    sends = [step for step in steps_of(events, chunk, FUNCTIONS, seed=1) if isinstance(step, Send)]
    sent = [event for step in sends for event in step.events]

    assert set(sent) == set(events)
    assert len(sent) == 1_120
    assert sent != sorted(sent, key=lambda event: event.number)
    assert sum(len(step.events) for step in sends if step.in_a_burst) == 50
    assert sum(event.is_poison for event in events) == 30


def test_every_kind_of_fault_comes_in_a_short_campaign_and_every_outage_of_every_function_in_a_long_one() -> None:
    def outages(count: int) -> list[Outage]:
        steps = steps_of(events_of(count, 1), 10, FUNCTIONS, seed=1)
        return [step for step in steps if isinstance(step, Outage)]

    assert {outage.fault for outage in outages(20)} >= set(SINGLE)
    long = {(outage.fault, outage.function) for outage in outages(10_000) if outage.function}
    assert long == {(fault, function) for fault in OUTAGE for function in FUNCTIONS}


# --- What is judged ---


def test_an_event_that_neither_took_effect_nor_waits_is_lost() -> None:
    assert not lost_in(Seen({GOOD.name: 1}, ASIDE), [GOOD, POISON])
    assert not lost_in(Seen({}, {GOOD.name: "throttled"}), [GOOD])
    assert lost_in(Seen({GOOD.name: 0}, ASIDE), [GOOD, POISON]) == [
        "event-0: neither took effect nor failed with a cause"
    ]


def test_an_event_that_waits_without_its_cause_is_lost() -> None:
    assert lost_in(Seen({}, {GOOD.name: ""}), [GOOD]) == ["event-0: failed without a cause"]


def test_event_that_took_effect_twice_is_reported() -> None:
    once, twice = Seen({GOOD.name: 1}, {}), Seen({GOOD.name: 2}, {})

    assert not twice_in(once, once)
    assert twice_in(twice, once) == twice_in(once, twice) == ["event-0: took effect 2 times"]


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        (Seen({GOOD.name: 1}, ASIDE), None),
        (Seen({}, ASIDE), "event-0: did not take effect after redrive: it did not fail"),
        (Seen({}, ASIDE | {GOOD.name: "late"}), "event-0: did not take effect after redrive: late"),
        (Seen({GOOD.name: 1}, ASIDE | {GOOD.name: "late"}), "event-0: took effect, and is still a failure: late"),
        (Seen({GOOD.name: 1, POISON.name: 1}, ASIDE), "event-1: is poison, and took effect"),
        (Seen({GOOD.name: 1}, {}), "event-1: is poison, and did not fail"),
    ],
)
def test_after_redrive_all_but_poison_took_effect(seen: Seen, wrong: str | None) -> None:
    assert list(not_done(seen, [GOOD, POISON])) == ([wrong] if wrong else [])


# --- Reports ---


def test_a_failing_run_names_the_events_and_the_command_that_repeats_it() -> None:
    reported = failure(Report("queue", 7, {"events": 1_000}, [f"event-{number}: lost" for number in range(25)]))

    assert "  event-0: lost\n" in reported
    assert "  and 5 more\n" in reported
    assert reported.endswith("Again: make prove-faults EVENTS=1000 SEED=7 PATTERN=queue")


def test_the_table_has_a_column_for_each_pattern() -> None:
    lines = table([Report("queue", 7, {"events": 10_000}, []), Report("saga", 8, {"events": 20}, [])]).splitlines()

    assert lines == ["|  | queue | saga |", "| --- | ---: | ---: |", "| events | 10,000 | 20 |", "| seed | 7 | 8 |"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_campaign_is_no_part_of_a_project(pattern: str) -> None:
    assert not list((ROOT / "built" / pattern).rglob("campaign.py"))
