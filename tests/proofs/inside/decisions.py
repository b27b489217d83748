"""Writes down what IAM is asked on the local AWS about roles and callers, and what each of the stack's may do.

Laid into toolkit/local_aws/gaps/ of a generated project for a run of its tests, by ../grants.py. The record is lines of
JSON: one for each decision, and one with the roles whenever these have changed.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import cloudformation, iam, lambda_svc

# Four levels up is the project, once this is in its toolkit/local_aws/gaps/.
RECORD = Path(__file__).resolve().parents[3] / "decisions.jsonl"

_of_a_resource: ContextVar[bool] = ContextVar("of_a_resource", default=False)
_writing = Lock()
_written: dict[str, Any] = {}


def is_needed() -> bool:
    """Whatever ministack can do, the run is to be recorded."""
    return True


def close() -> None:
    """Record each decision about what a role's own policies allow, and about who may call a function."""
    evaluate, evaluate_resource_policy = iam_evaluator.evaluate, iam_evaluator.evaluate_resource_policy

    def of_roles(asked: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(asked, policies, *limits)
        if asked.principal_type == "AssumedRole" and not _of_a_resource.get():
            # Only what some condition asks for: the rest differs from call to call, and decides nothing.
            conditions = (keys for policy in policies for stated in policy for keys in stated.conditions.values())
            _write(asked.principal_arn.split("/")[1], asked, {key for keys in conditions for key in keys}, result)
        return result

    def of_functions(policy: Any, asked: Any, service: str | None = None, **options: Any) -> Any:
        """What a queue's own policy says of a caller is no right of the caller's role, so it is not recorded as one."""
        token = _of_a_resource.set(True)
        try:
            result = evaluate_resource_policy(policy, asked, service, **options)
        finally:
            _of_a_resource.reset(token)
        if service and asked.action == "lambda:InvokeFunction":
            _write(asked.resource_arn.split(":")[6], asked, {"aws:SourceAccount", "aws:SourceArn"}, result)
        return result

    iam_evaluator.evaluate, iam_evaluator.evaluate_resource_policy = of_roles, of_functions


def _write(holder: str, asked: Any, keys: set[str], result: Any) -> None:
    decision = {
        "role": holder,
        "action": asked.action,
        "resource": asked.resource_arn,
        "context": {key.lower(): iam_evaluator._resolve_condition_key(key, asked) for key in sorted(keys)},
        "allowed": result.decision == "Allow",
    }
    with _writing, RECORD.open("a", encoding="utf-8") as record:
        stacks = _stacks()
        if stacks != _written:
            _written.clear()
            _written.update(stacks)
            record.write(json.dumps(stacks) + "\n")
        record.write(json.dumps(decision) + "\n")


def _stacks() -> dict[str, Any]:
    """Each deployed stack by its name: the types of its resources, and what holds rights, by physical names.

    A role holds those of its policies. A function holds, in a policy of its own, those of its callers.
    """
    found = {}
    for (account, _, name), stack in cloudformation._stacks.all_items():
        resources = [
            (logical_id, resource["ResourceType"], resource["PhysicalResourceId"])
            for logical_id, resource in stack.get("_resources", {}).items()
        ]
        roles = {
            one: {"id": logical_id} | _role(account, one)
            for logical_id, kind, one in resources
            if kind == "AWS::IAM::Role"
        }
        functions = {
            one: {"id": logical_id} | _callers(one)
            for logical_id, kind, one in resources
            if kind == "AWS::Lambda::Function"
        }
        found[name] = {"types": sorted({kind for _, kind, _ in resources}), "roles": roles | functions}
    return {"stacks": found}


def _role(account: str, name: str) -> dict[str, Any]:
    trust = json.loads(iam._roles.get_scoped(account, None, name)["AssumeRolePolicyDocument"])
    policies = iam_evaluator._gather_role_policies(name, account)
    statements = [asdict(stated) for policy in policies for stated in policy]
    return {"trusts": _principals(trust), "statements": statements, "called": False}


def _callers(function: str) -> dict[str, Any]:
    policy = lambda_svc._functions[function]["policy"]
    statements = [asdict(stated) for stated in iam_evaluator.parse_policy_document(policy)]
    return {"trusts": _principals(policy), "statements": statements, "called": True}


def _principals(policy: dict[str, Any]) -> list[str]:
    """Services by their names, and all others as they are written."""
    found = set()
    for stated in policy["Statement"]:
        principal = stated["Principal"]
        services = principal.get("Service") if isinstance(principal, dict) else None
        found |= {services} if isinstance(services, str) else set(services or [json.dumps(principal)])
    return sorted(found)
