"""Deploys in two steps, so that a change is seen before it is made.

    python -m scripts.changes plan --env prod
    python -m scripts.changes apply --env prod arn:aws:cloudformation:...:changeSet/...
    python -m scripts.changes deploy --env dev    (both, and asks in between)

Settings come from samconfig.toml. Only what holds the account's number is found out here: the
bucket and the role that deploy/role.yaml made in the account.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3

from scripts.stacks import PROJECT, settings_of, told_in_words


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


def read_plan(lines: Iterable[str]) -> tuple[str, list[dict[str, str]]]:
    """The change set's ARN, empty if nothing would change, and its changes, as SAM prints them."""
    change_set, changes = "", []
    for line in lines:
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        if entry.get("type") == "changeset":
            changes.append(entry)
        elif entry.get("status") == "changeset_created":
            change_set = entry["changeset_id"]
    return change_set, changes


def table(changes: Iterable[dict[str, str]]) -> str:
    """The changes in Markdown; those that can lose data, by replacing or removing, come first."""
    rows = []
    for change in changes:
        # CloudFormation says "Conditional" where it cannot know before.
        replaces = change["replacement"] in {"True", "Conditional"}
        action = change["action"] + (", replaces" if replaces else "")
        row = f"| {action} | {change['logical_id']} | {change['resource_type']} |"
        rows.append((not replaces and change["action"] != "Remove", row))
    head = ["| change | resource | type |", "| --- | --- | --- |"]
    return "\n".join([*head, *(row for _, row in sorted(rows))])


def tell_github(variable: str, text: str) -> None:
    """Add to one of the files that GitHub reads; elsewhere there is none."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def plan(env: str) -> str:
    """Make a change set and show it; returns its ARN, empty if nothing would change."""
    stack = settings_of(env)["global"]["parameters"]["stack_name"]
    if not (PROJECT / ".aws-sam" / "build" / "template.yaml").exists():
        # Without a build, SAM would package the sources as they are, without what they depend on.
        sys.exit("Nothing is built: run `make build` first")
    identity = boto3.client("sts").get_caller_identity()
    partition = identity["Arn"].split(":")[1]
    command = sam_command(env, stack, identity["Account"], partition)
    result = subprocess.run(
        command, cwd=PROJECT, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if result.returncode:
        sys.exit(result.returncode)
    change_set, changes = read_plan(result.stdout.splitlines())
    report = table(changes) if change_set else "Nothing would change."
    print(f"{stack}\n\n{report}\n\n{change_set}")
    tell_github("GITHUB_STEP_SUMMARY", f"## {stack}\n\n{report}\n")
    tell_github("GITHUB_OUTPUT", f"change_set={change_set}")
    return change_set


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
    if described["ExecutionStatus"] == "EXECUTE_COMPLETE":
        # The job was started again, because something after this failed.
        print("Applied already.")
        return 0
    if described["ExecutionStatus"] != "AVAILABLE":
        print(f"Not applied, it is {described['ExecutionStatus']}: the stack changed. Plan again.")
        return 1

    seen: set[str] = set()
    list(events_since(cloudformation, stack, seen))
    cloudformation.execute_change_set(ChangeSetName=change_set, StackName=stack)
    while True:
        for event in events_since(cloudformation, stack, seen):
            status = event["ResourceStatus"]
            reason = event.get("ResourceStatusReason", "")
            print(f"{status:<36} {event['LogicalResourceId']} {reason}".rstrip(), flush=True)
            is_stack = event["PhysicalResourceId"] == event["StackId"]
            if is_stack and not status.endswith("IN_PROGRESS"):
                return 0 if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"} else 1
        time.sleep(pause)


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
    if input("Apply these changes? [y/N] ").strip().lower() != "y":
        return 1
    return apply(arguments.env, change_set)


if __name__ == "__main__":
    told_in_words(main)
