"""Deploys in two steps, so that a change is seen before it is made.

    python -m toolkit changes plan --env prod
    python -m toolkit changes apply --env prod arn:aws:cloudformation:...:changeSet/...
    python -m toolkit changes deploy --env dev    (both, and asks in between)

Settings come from samconfig.toml. Only what holds the account's number is found out here: the
bucket and the role that toolkit/deploy/pipeline.yaml made in the account. The pipeline's apply job
runs this with boto3 alone: see requirements/deploy.txt.
"""

import argparse
import difflib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3

from toolkit.commands.termination_protection import protect
from toolkit.stacks import PROJECT, errors_in_one_line, region_of, settings_of

# One change of a change set: `ResourceChange` in CloudFormation's DescribeChangeSet.
Change = dict[str, Any]

LONGEST_LINE = 300
# GitHub shows a summary of up to 1 MiB.
LONGEST_SUMMARY = 1_000_000

# Why a change set is not executed, by its ExecutionStatus. For UNAVAILABLE, its Status says why.
NOT_EXECUTED = {
    "EXECUTE_FAILED": "it was executed before, and failed: the stack's events say why. Plan again",
    "OBSOLETE": "the stack has changed since it was planned. Plan again",
}
UNAVAILABLE = {
    "CREATE_PENDING": "it is still being created. Try again in a minute",
    "CREATE_IN_PROGRESS": "it is still being created. Try again in a minute",
    "FAILED": "it could not be created. Plan again",
}


def sam_command(env: str, stack: str, account: str, partition: str) -> list[str]:
    """The call of SAM that makes a change set and leaves it at that."""
    project = stack.removesuffix(f"-{env}")
    return [
        f"{os.environ.get('VENV', '.venv')}-sam/bin/sam",
        "deploy",
        *("--config-env", env),
        *("--s3-bucket", f"{project}-artifacts-{account}-{env}"),
        *("--role-arn", f"arn:{partition}:iam::{account}:role/deploy/{stack}-cloudformation"),
        "--no-execute-changeset",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        *("--output", "json"),
    ]


def read_plan(lines: Iterable[str]) -> str:
    """The change set's ARN as SAM prints it, empty if nothing would change.

    Raises:
        SystemExit: SAM has said neither.
    """
    for line in lines:
        if line.startswith("{"):
            entry = json.loads(line)
            if entry.get("status") == "changeset_created":
                return str(entry["changeset_id"])
            if entry.get("status") == "no_changes":
                return ""
    sys.exit("SAM names no change set, and does not say that nothing would change")


def loses(change: Change) -> bool:
    """Whether what the resource holds can be lost, since it is replaced or removed."""
    # CloudFormation says "Conditional" where it cannot know before.
    replaced = change.get("Replacement") in {"True", "Conditional"}
    kept = change.get("PolicyAction") in {"Retain", "ReplaceAndRetain"}
    return (replaced or change["Action"] == "Remove") and not kept


def kind(change: Change) -> str:
    """What happens to the resource, as text."""
    words = {"True": "replaces", "Conditional": "may replace"}
    policies = {"Retain": "keeps the resource", "ReplaceAndRetain": "keeps the old one"}
    more = [words.get(change.get("Replacement", "")), policies.get(change.get("PolicyAction", ""))]
    return ", ".join([change["Action"], *filter(None, more)])


def values(context: str) -> list[str]:
    """A resource's properties as lines of JSON; values that are not known yet as text."""
    text = json.dumps(json.loads(context or "{}"), indent=2, sort_keys=True, ensure_ascii=False)
    text = text.replace("{{ "{{" }}changeSet:KNOWN_AFTER_APPLY}}", "(known after apply)")
    return [] if text == "{}" else text.splitlines()


def difference(change: Change) -> list[str]:
    """A resource's old and new properties, as a unified diff."""
    before, after = (values(change.get(f"{when}Context", "")) for when in ("Before", "After"))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=4))[2:]
    return [cut(line) for line in lines if not line.startswith("@@")]


def cut(line: str) -> str:
    """A line as it is, or its beginning and how long it is."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]}… ({len(line)} characters)"


def report(changes: list[Change], *, has_secrets: bool = False) -> str:
    """The changes in Markdown: a list, then old and new values; what can lose data comes first."""
    by_risk = sorted(changes, key=lambda one: (not loses(one), kind(one), one["LogicalResourceId"]))
    rows = ["| change | resource | type |", "| --- | --- | --- |"]
    details = []
    for change in by_risk:
        name, type_ = change["LogicalResourceId"], change["ResourceType"]
        rows.append(f"| {kind(change)} | {name} | {type_} |")
        if not has_secrets and (lines := difference(change)):
            details += ["", f"{kind(change)}: **{name}**", "", "````diff", *lines, "````"]
    if has_secrets:
        details = ["", "Values are not shown, since the template has a parameter with NoEcho."]
    return "\n".join(rows + details)


def tell_github(variable: str, text: str) -> None:
    """Add to one of the files that GitHub reads; does nothing outside of GitHub."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def refuse_lost_rights(cloudformation: Any, stack: str, change_set: str) -> None:
    """End a plan that takes away rights which the version that serves may still need."""
    # Imported here: the apply job has boto3 alone, and this reads YAML.
    from toolkit.retiring import refusal

    if reasons := refusal(cloudformation, stack, change_set):
        sys.exit(reasons)


def plan(env: str) -> str:
    """Make a change set and show it; returns its ARN, empty if nothing would change."""
    stack = settings_of(env)["global"]["parameters"]["stack_name"]
    if not (PROJECT / ".aws-sam" / "build" / "template.yaml").exists():
        # Without a build, SAM would package the sources as they are, without what they depend on.
        sys.exit("Nothing is built: run `make build` first")
    region = region_of(env)
    identity = boto3.client("sts", region).get_caller_identity()
    partition = identity["Arn"].split(":")[1]
    command = sam_command(env, stack, identity["Account"], partition)
    result = subprocess.run(
        command, cwd=PROJECT, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if result.returncode:
        sys.exit(result.returncode)
    change_set = read_plan(result.stdout.splitlines())
    cloudformation = boto3.client("cloudformation", region)
    shown = "Nothing would change."
    if change_set:
        pages = describe(cloudformation, stack, change_set)
        changes = [change["ResourceChange"] for page in pages for change in page["Changes"]]
        shown = report(changes, has_secrets=hides(pages[0].get("Parameters", [])))
    print(f"{stack}\n\n{shown}\n")
    summary = shown if len(shown.encode()) < LONGEST_SUMMARY else "Too long: see this job's log."
    tell_github("GITHUB_STEP_SUMMARY", f"## {stack}\n\n{summary}\n")
    if change_set:
        refuse_lost_rights(cloudformation, stack, change_set)
    print(change_set)
    # Two outputs, because GitHub drops one that looks like a secret: an ARN that is missing must
    # not pass for a plan without changes.
    tell_github("GITHUB_OUTPUT", f"changes={'true' if change_set else 'false'}")
    tell_github("GITHUB_OUTPUT", f"change_set={change_set}")
    return change_set


def describe(cloudformation: Any, stack: str, change_set: str) -> list[Any]:
    """A change set with old and new values, page by page."""
    pages = cloudformation.get_paginator("describe_change_set").paginate(
        ChangeSetName=change_set, StackName=stack, IncludePropertyValues=True
    )
    return list(pages)


def hides(parameters: list[dict[str, str]]) -> bool:
    """Whether CloudFormation masks one of them, as it does with NoEcho.

    It does not document whether it masks them in the values of properties as well.
    """
    return any(set(parameter.get("ParameterValue", "")) == {"*"} for parameter in parameters)


def events_since(cloudformation: Any, stack: str, seen: set[str]) -> Iterator[dict[str, Any]]:
    """The stack's events that are not in `seen`, oldest first; from then on they are."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    new = []
    for event in (event for page in pages for event in page["StackEvents"]):
        if event["EventId"] in seen:
            break
        new.append(event)
    seen.update(event["EventId"] for event in new)
    yield from reversed(new)


def apply(env: str, change_set: str, cloudformation: Any = None, pause: float = 5) -> int:
    """Execute a change set and follow it to its end."""
    settings = settings_of(env)["global"]["parameters"]
    stack = settings["stack_name"]
    cloudformation = cloudformation or boto3.client("cloudformation", settings["region"])
    described = cloudformation.describe_change_set(ChangeSetName=change_set, StackName=stack)
    status = described["ExecutionStatus"]
    if status == "EXECUTE_COMPLETE":
        # The job was started again, because something after this failed.
        protect(cloudformation, env, stack)
        print("Applied already.")
        return 0
    seen: set[str] = set()
    events = list(events_since(cloudformation, stack, seen))
    if status == "EXECUTE_IN_PROGRESS":
        # The job that started it was cancelled, or lost its connection.
        print("It is being applied already: following it.")
        started = max((n for n, event in enumerate(events) if starts(event)), default=0)
        seen -= {event["EventId"] for event in events[started:]}
    elif status == "AVAILABLE":
        cloudformation.execute_change_set(ChangeSetName=change_set, StackName=stack)
    else:
        reason = NOT_EXECUTED.get(status) or UNAVAILABLE.get(
            described["Status"], f"it is {described['Status']}. Plan again"
        )
        detail = f" ({described['StatusReason']})" if described.get("StatusReason") else ""
        print(f"Not applied: {reason}.{detail}")
        return 1

    end = ""
    while True:
        for event in events_since(cloudformation, stack, seen):
            status = event["ResourceStatus"]
            reason = event.get("ResourceStatusReason", "")
            print(f"{status:<36} {event['LogicalResourceId']} {reason}".rstrip(), flush=True)
            if is_stack(event):
                end = "" if status.endswith("IN_PROGRESS") else status
        # A followed execution may not have its first event yet: that was the end of another.
        if end and not executes(cloudformation, stack, change_set):
            if end not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
                return 1
            protect(cloudformation, env, stack)
            return 0
        time.sleep(pause)


def executes(cloudformation: Any, stack: str, change_set: str) -> bool:
    """Whether the change set is being executed."""
    described = cloudformation.describe_change_set(ChangeSetName=change_set, StackName=stack)
    return bool(described["ExecutionStatus"] == "EXECUTE_IN_PROGRESS")


def is_stack(event: dict[str, Any]) -> bool:
    """Whether it is about the stack itself, and not about one of its resources."""
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def starts(event: dict[str, Any]) -> bool:
    """Whether it begins the execution of a change set."""
    return is_stack(event) and event["ResourceStatus"] in {
        "CREATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
    }


@errors_in_one_line
def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Deploys in two steps.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("plan", "make a change set and show it"),
        ("apply", "execute a change set and follow it to its end"),
        ("deploy", "plan, ask, apply"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--env", required=True)
        if name == "apply":
            command.add_argument("change_set", help="as the plan shows it")
    arguments = parser.parse_args()
    if arguments.command == "apply":
        return apply(arguments.env, arguments.change_set)
    change_set = plan(arguments.env)
    if arguments.command == "plan" or not change_set:
        return 0
    print("Apply these changes? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != "y":
        return 1
    return apply(arguments.env, change_set)
