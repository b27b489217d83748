"""`make prove-delivery`: the generated workflows deliver, as they are written, with the roles that they sign in as."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projects import CALLERS_VARIABLES, ROOT, TOOLS, Variant, environment_of, make_project, variants
from serverless_templates.catalogue import load

from . import figures
from .grants import RECORDERS, lay_recorders
from .runs import side_by_side

AWS_CLI = ROOT / ".venv-aws-cli/bin/aws"
LONGEST_SECONDS = 3_600
# What prod does not go without; the other environments take it as well.
FOR_PROD = {"alarm_email": "alarms@example.com", "web_origin": "https://shop.example.com"}
HEAD = """\
| project | release | jobs that ran | stopped at | seconds |
| --- | --- | ---: | --- | ---: |
"""


class DeliveryError(Exception):
    """The rehearsal has failed; the message says at what."""


def rehearse(project: Path, work: Path, *options: str) -> dict[str, Any]:
    """Deliver a project, again and again; what was done.

    Raises:
        DeliveryError: something went otherwise than it has to.
    """
    work.mkdir(parents=True)
    # A copy of the project plays AWS: what the proof adds to that is no part of what is delivered.
    plays_aws = work / "aws"
    shutil.copytree(project, plays_aws, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    lay_recorders(plays_aws)
    for gap in (RECORDERS / "gaps").glob("*.py"):
        if gap.name != "__init__.py":
            shutil.copy(gap, plays_aws / "toolkit/local_aws/gaps")
    hidden = (*CALLERS_VARIABLES, "AWS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)} | {
        "AWS_CLI": str(AWS_CLI),
        **environment_of(plays_aws),
    }
    done = subprocess.run(
        [TOOLS / "bin/python", "-m", "proofs.inside.rehearsal", project, work, *options],
        cwd=plays_aws,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=LONGEST_SECONDS,
    )
    print(done.stderr, file=sys.stderr)
    if done.returncode:
        raise DeliveryError(done.stderr.strip()[-4_000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Prove it of every pattern and variant, or of one pattern to look at, which is not written down."""
    parser = argparse.ArgumentParser(prog="make prove-delivery", description=__doc__)
    parser.add_argument("--pattern", choices=sorted({variant.pattern for variant in variants()}), help="write nothing")
    chosen = parser.parse_args().pattern
    found: dict[Variant, dict[str, Any]] = {}
    failed = []
    with tempfile.TemporaryDirectory(prefix="delivery-", ignore_cleanup_errors=True) as folder, side_by_side() as runs:
        started = {
            one: runs.submit(_delivered, one, Path(folder)) for one in variants() if chosen in (None, one.pattern)
        }
        for variant, run in started.items():
            try:
                found[variant] = run.result()
            except DeliveryError as error:
                failed.append(f"{variant}: {error}")
    text = section(found)
    print(text)
    if failed:
        sys.exit("\n\n".join(failed))
    if not chosen:
        figures.write("prove-delivery", text)


def section(found: Mapping[Variant, Mapping[str, Any]]) -> str:
    """The tables of the page."""
    rows = [
        f"| {variant} | {run['release']} | {_ran(run['jobs'])} | {_stopped(run['jobs'])} | {run['seconds']} |\n"
        for variant, done in found.items()
        for run in done["releases"]
    ]
    approvals = Counter(one for done in found.values() for one in done["approvals"])
    asked = ", ".join(f"{count} times for {name}" for name, count in approvals.items())
    commands = sorted({command for done in found.values() for command in done["commands"]})
    stand_ins = {name: what for done in found.values() for name, what in done["stand_ins"].items()}
    return f"""\
{HEAD}{"".join(rows)}
Approval was asked {asked}. Run as well, with a person's own keys: {", ".join(f"`make {one}`" for one in commands)}.

| what stands in | as |
| --- | --- |
{"".join(f"| {name} | {what} |{chr(10)}" for name, what in stand_ins.items())}"""


def for_prod(variant: Variant) -> Variant:
    """The variant, with the answers that prod does not go without."""
    catalogue = load(ROOT)
    asked = {question.name for question in (*catalogue.questions, *catalogue.patterns[variant.pattern].questions)}
    return Variant(variant.pattern, (*variant.answers, *(pair for pair in FOR_PROD.items() if pair[0] in asked)))


def _delivered(variant: Variant, folder: Path) -> dict[str, Any]:
    print(f"{variant}: is delivered", file=sys.stderr, flush=True)
    place = folder / str(variant)
    place.mkdir()
    return rehearse(make_project(for_prod(variant), place, str(variant)), place / "work")


def _ran(jobs: Mapping[str, str]) -> int:
    return sum(result != "skipped" for name, result in jobs.items() if "/" in name)


def _stopped(jobs: Mapping[str, str]) -> str:
    return ", ".join(name for name, result in jobs.items() if result == "failure" and "/" in name)


if __name__ == "__main__":
    main()
