"""Policies with something wrong on purpose: the calls that were recorded with the right ones have to tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .grants import Finding, Kind, Record, Role, Statement, actions_of


@dataclass(frozen=True)
class Mutant:
    """A role with something wrong, and the kinds of findings that would tell."""

    what: str
    role: Role
    shown_by: frozenset[Kind]


def mutants(record: Record) -> Iterator[Mutant]:
    """Every needless action, every resource made wider, everything that is taken away."""
    for role in record.roles:
        for statement in role.statements:
            yield from _with_needless_actions(role, statement)
            yield from _wider(record, role, statement)
            yield from _with_less(role, statement)
            if role.called:
                without_source = replace(statement, conditions={})
                yield _mutant("from anywhere", role, statement, without_source, "open to others")


def survivors(record: Record) -> list[str]:
    """Mutants that nothing tells."""
    return [mutant.what for mutant in mutants(record) if not _caught(record.findings_of(mutant.role), mutant)]


def _caught(findings: list[Finding], mutant: Mutant) -> bool:
    return any(finding.kind in mutant.shown_by for finding in findings)


def _with_needless_actions(role: Role, statement: Statement) -> Iterator[Mutant]:
    """One more action of a service at a time, unless the role may do that already."""
    granted = {(grant.action, grant.resource) for grant in role.grants}
    for service in sorted({action.partition(":")[0] for action in statement.actions}):
        for action in sorted(actions_of(service)):
            if {(action, resource) for resource in statement.resources} - granted:
                added = replace(statement, actions=(*statement.actions, action))
                yield _mutant(f"may {action} as well", role, statement, added, "unused")


def _wider(record: Record, role: Role, statement: Statement) -> Iterator[Mutant]:
    """A resource at a time: any whatever, and any of its kind in the account."""
    for place, resource in enumerate(statement.resources):
        before, of_stack, _ = resource.partition(record.stack)
        for wide in {"*", f"{before}*" if of_stack else "*"} - {resource}:
            resources = (*statement.resources[:place], wide, *statement.resources[place + 1 :])
            yield _mutant(f"on {wide}", role, statement, replace(statement, resources=resources), "too wide")


def _with_less(role: Role, statement: Statement) -> Iterator[Mutant]:
    """Without the statement, and without each of its actions and resources."""
    yield _mutant("is gone", role, statement, None, "refused", "needed by AWS")
    for action in statement.actions:
        rest = tuple(other for other in statement.actions if other != action)
        yield _mutant(
            f"without {action}", role, statement, replace(statement, actions=rest), "refused", "needed by AWS"
        )
    for resource in statement.resources:
        rest = tuple(other for other in statement.resources if other != resource)
        without = replace(statement, resources=rest)
        yield _mutant(f"without {resource}", role, statement, without, "refused", "needed by AWS")


def _mutant(what: str, role: Role, old: Statement, new: Statement | None, *shown_by: Kind) -> Mutant:
    statements = tuple(new if statement is old else statement for statement in role.statements)
    changed = replace(role, statements=tuple(statement for statement in statements if statement is not None))
    return Mutant(f"{role.id}: {' '.join(old.actions)}: {what}", changed, frozenset(shown_by))
