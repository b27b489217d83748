"""`make prove-faults`: sends events through each pattern while all around it fails, and counts what became of them.

The local AWS makes the faults: see toolkit/local_aws/faults.py of a project. What a pattern's events are, and where
they can be seen, its campaign.py says.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from projects import ROOT, TOOLS, Variant, environment_of, make_project, patterns

from . import figures
from .runs import side_by_side

EVENTS = 10_000
# For a campaign, and for each event of it.
LONGEST_SECONDS, LONGEST_SECONDS_PER_EVENT = 600, 0.5


class CampaignError(Exception):
    """A campaign did not come to its end; the message says how far it came."""


@dataclass(frozen=True)
class Report:
    """What became of a pattern's events."""

    pattern: str
    seed: int
    figures: dict[str, int]
    # What should not be: the name of an event, and what is wrong with it.
    wrong: list[str]

    @property
    def command(self) -> str:
        """What sends the same events, in the same order, with the same faults."""
        return f"make prove-faults EVENTS={self.figures['events']} SEED={self.seed} PATTERN={self.pattern}"


def main() -> None:
    """Run the campaigns; in full, also those of broken projects, and write down what became of the events."""
    parser = argparse.ArgumentParser(prog="make prove-faults", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="for each pattern (%(default)s)")
    parser.add_argument("--seed", type=int, default=any_seed(), help="of what is random; another one each time")
    parser.add_argument("--pattern", choices=patterns(), action="append", help="this one only; writes nothing")
    options = parser.parse_args()
    chosen = options.pattern or patterns()
    try:
        with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name, side_by_side() as runs:
            folder = Path(name)
            reports = list(runs.map(lambda one: tried(one, folder, options.events, options.seed), chosen))
            print(text := table(reports))
            if not options.pattern:
                print(found := found_table(folder, runs))
    except CampaignError as error:
        sys.exit(str(error))
    if failed := [report for report in reports if report.wrong]:
        sys.exit("\n".join(map(failure, failed)))
    if not options.pattern:
        fewer = f" EVENTS={options.events}" if options.events != EVENTS else ""
        figures.write("prove-faults", f"{text}\n{found}", fewer)


def tried(pattern: str, folder: Path, events: int, seed: int) -> Report:
    """Run a campaign in a new project."""
    print(f"{pattern}: {events} events, seed {seed}", file=sys.stderr, flush=True)
    return campaign(make_project(Variant(pattern), folder), pattern, events, seed)


def found_table(folder: Path, runs: ThreadPoolExecutor) -> str:
    """What was broken on purpose, and the first thing that was wrong then.

    Raises:
        CampaignError: a campaign did not find it.
    """

    def row(pattern: str, what: str, breakage: Breakage) -> str:
        print(f"{pattern}: {what}", file=sys.stderr, flush=True)
        wrong = breakage.found(pattern, folder / what.replace(" ", "-"))
        return f"| {pattern} | {what} | {len(wrong)} | {wrong[0].replace('|', '/'):.120} |\n"

    rows = [runs.submit(row, pattern, *broken) for pattern in patterns() for broken in breakages(pattern).items()]
    head = "| pattern | broken on purpose | wrong | the first of it |\n| --- | --- | ---: | --- |\n"
    return head + "".join(done.result() for done in rows)


def campaign(project: Path, pattern: str, events: int, seed: int) -> Report:
    """Run a campaign in a project.

    Raises:
        CampaignError: it did not come to its end.
    """
    script = script_of(pattern)
    command = (TOOLS / "bin/python", "-m", "proofs.inside.campaign", script, events, seed)
    label = f"{pattern}: the campaign with EVENTS={events} SEED={seed}"
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=project,
            env=os.environ | environment_of(project),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=LONGEST_SECONDS + events * LONGEST_SECONDS_PER_EVENT,
        )
    except subprocess.TimeoutExpired:
        raise CampaignError(f"{label} does not come to an end") from None
    if done.returncode:
        raise CampaignError(f"{label} broke off:\n{done.stderr[-3_000:]}")
    return Report(pattern, seed, **json.loads(done.stdout))


def script_of(pattern: str) -> Path:
    """Where a pattern says what a campaign has to know.

    Raises:
        CampaignError: it does not.
    """
    script = ROOT / "templates/patterns" / pattern / "campaign.py"
    if not script.is_file():
        raise CampaignError(f"{script} is missing: write it, after the model of another pattern's")
    return script


@dataclass(frozen=True)
class Breakage:
    """A promise that is broken on purpose: in a file, something faulty stands in place of something sound."""

    file: str
    sound: str
    faulty: str
    # Few events that meet faults at which it shows.
    events: int
    seed: int

    def apply(self, project: Path) -> None:
        """Break it."""
        path = project / self.file
        text = path.read_text("utf-8")
        if self.sound not in text:
            raise CampaignError(f"{path} has no {self.sound!r} to break: fix the pattern's campaign.py")
        path.write_text(text.replace(self.sound, self.faulty), "utf-8")

    def found(self, pattern: str, folder: Path) -> list[str]:
        """What is wrong in a project that is broken so.

        Raises:
            CampaignError: nothing is.
        """
        project = make_project(Variant(pattern), folder)
        self.apply(project)
        wrong = campaign(project, pattern, self.events, self.seed).wrong
        if not wrong:
            raise CampaignError(f"{pattern}: a campaign of {self.events} events does not find what is broken")
        return wrong


def breakages(pattern: str) -> dict[str, Breakage]:
    """What a campaign of a pattern has to find, by what is broken: from BREAKAGES in its campaign.py."""
    tree = ast.parse(script_of(pattern).read_text("utf-8"))
    [found] = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BREAKAGES"
    ]
    return {what: Breakage(**how) for what, how in ast.literal_eval(found).items()}


def table(reports: Sequence[Report]) -> str:
    """The figures in Markdown, a column for each pattern."""
    rows = [["", *(report.pattern for report in reports)], ["---", *("---:" for _ in reports)]]
    rows += [[name, *(f"{report.figures[name]:,}" for report in reports)] for name in reports[0].figures]
    rows.append(["seed", *(str(report.seed) for report in reports)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def failure(report: Report) -> str:
    """What is wrong, and how to see it again."""
    shown, more = report.wrong[:20], len(report.wrong) - 20
    lines = [f"{report.pattern}: {len(report.wrong)} things should not be:", *(f"  {line}" for line in shown)]
    if more > 0:
        lines.append(f"  and {more} more")
    return "\n".join([*lines, f"Again: {report.command}"])


def any_seed() -> int:
    """Another one each time."""
    return SystemRandom().randrange(1_000_000)


if __name__ == "__main__":
    main()
