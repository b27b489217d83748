"""`make prove-policies`: each role of a stack may do what it does, and nothing else."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

from projects import TOOLS, Variant, environment_of, make_project, run, variants

from . import deploy_role, figures
from .grants import Record, lay_recorders, read_record, stale_needs
from .mutants import mutants, survivors
from .runs import side_by_side

Records = dict[Variant, Record]
HEAD = """\
| role | action | on | calls |
| --- | --- | --- | ---: |
"""


def main() -> None:
    """Prove it of every pattern, or of one to look at, which is not written down."""
    parser = argparse.ArgumentParser(prog="make prove-policies", description=__doc__)
    parser.add_argument("--pattern", choices=sorted({variant.pattern for variant in variants()}), help="write nothing")
    chosen = parser.parse_args().pattern
    with tempfile.TemporaryDirectory(prefix="policies-", ignore_cleanup_errors=True) as folder, side_by_side() as runs:
        projects = {one: make_project(one, Path(folder)) for one in variants() if chosen in (None, one.pattern)}
        records = dict(zip(projects, runs.map(_recorded, projects, projects.values()), strict=True))
        pipelines = dict(zip(projects, runs.map(_deployed, projects, repeat(Path(folder))), strict=True))
        wrong = list(_wrong(projects, records, pipelines))
        if not chosen:
            wrong += _stale(projects, records, pipelines)
        text = "\n".join(
            f"{section(variant, records)}\n{deploy_role.summary(projects[variant], record.types)}"
            for variant, record in records.items()
        )
        text += "\n### The pipeline's roles\n\nWhat deploying took, twice:\n"
        text += "".join(f"\n{variant}\n\n{HEAD}{''.join(_rows(found))}" for variant, found in _unlike(pipelines))
    print(text)
    if wrong:
        sys.exit("\n".join(wrong))
    if not chosen:
        figures.write("prove-policies", text)


def _recorded(variant: Variant, project: Path) -> Record:
    print(f"{variant}: runs its end-to-end tests", file=sys.stderr, flush=True)
    lay_recorders(project)
    command = (TOOLS / "bin/python", "-m", "pytest", "-q", "tests/e2e")
    run(*command, cwd=project, environment=environment_of(project))
    return read_record(project)


def _deployed(variant: Variant, folder: Path) -> Record:
    print(f"{variant}: is deployed by its pipeline's roles", file=sys.stderr, flush=True)
    place = folder / f"{variant}-delivered"
    place.mkdir()
    return deploy_role.deployed_by_pipeline(variant, place)


def _wrong(projects: dict[Variant, Path], records: Records, pipelines: Records) -> Iterator[str]:
    for variant, record in records.items():
        found = [str(finding) for finding in record.findings]
        # Where something is wrong already, what is wrong on purpose would be found by that.
        found += [] if found else [f"nothing tells when {mutant}" for mutant in survivors(record)]
        found += deploy_role.findings(projects[variant], record.types)
        found += deploy_role.beyond_boundary(projects[variant], record)
        found += deploy_role.pipeline_findings(pipelines[variant])
        yield from (f"{variant}: {finding}" for finding in found)


def _stale(projects: dict[Variant, Path], records: Records, pipelines: Records) -> list[str]:
    """Exceptions that nothing needs any more."""
    needs = stale_needs(role for record in (*records.values(), *pipelines.values()) for role in record.roles)
    deploying = [
        deploy_role.granted_and_published(projects[variant], record.types) for variant, record in records.items()
    ]
    return [
        *(f"needed_by_aws.py: {need.action} is granted to no role of {need.of}" for need in needs),
        *(f"deploy_role.py: {entry} makes no difference any more" for entry in deploy_role.stale(deploying)),
    ]


def section(variant: Variant, records: Records) -> str:
    """The table of a variant; one with the same rights as its pattern's defaults needs none."""
    record = records[variant]
    grants = [(role, grant) for role in record.roles for grant in role.grants]
    roles = sum(not role.called for role in record.roles)
    summary = f"{roles} roles; with who may call functions, {len(grants)} rights; {sum(record.calls.values())} calls. "
    summary += f"Reported: all of {len(list(mutants(record)))} policies with something wrong on purpose.\n"
    default = records.get(Variant(variant.pattern))
    if variant.answers and default and _names(default) == _names(record):
        return f"### {variant}\n\nThe same rights as {variant.pattern}, all used. {summary}"
    return f"### {variant}\n\n{summary}\n{HEAD}{''.join(_rows(record))}"


def _unlike(records: Records) -> Iterator[tuple[str, Record]]:
    """One of each group of records with the same rights, and the names of all of the group."""
    groups: dict[frozenset[tuple[str, str]], list[Variant]] = {}
    for variant, record in records.items():
        groups.setdefault(frozenset(_names(record)), []).append(variant)
    for alike in groups.values():
        yield ", ".join(map(str, alike)), records[alike[0]]


def _rows(record: Record) -> Iterator[str]:
    for role in record.roles:
        for grant in role.grants:
            users = _shown(record.users(role, grant))
            yield f"| {role.id} | {grant.action} | {record.place(grant.resource)} | {users} |\n"


def _names(record: Record) -> set[tuple[str, str]]:
    return {(role.id, record.name(grant)) for role in record.roles for grant in role.grants}


def _shown(users: int | str) -> str:
    return f"[by AWS]({users})" if isinstance(users, str) else str(users or "*unused*")


if __name__ == "__main__":
    main()
