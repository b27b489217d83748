"""docs/adding-a-subscriber.md works as it is written, and touches no other subscriber."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.stacks import PROJECT
from toolkit.template import expand, load, parse

# Deploys the project that it runs in, publishes an event, and tells who got it.
SEE_IT_WORK = """
import json
from toolkit.local_aws.stack import deploy, local_aws
from toolkit.messages import visible, wait_until_empty

with local_aws() as aws:
    stack = deploy(aws)
    aws.client("sns").publish_batch(
        TopicArn=stack.outputs["TopicArn"],
        PublishBatchRequestEntries=[
            {
                "Id": kind,
                "Message": json.dumps({
                    "event_id": kind, "type": f"shipment.{kind}", "shipment_id": kind,
                    "occurred_at": "2026-01-31T12:00:00Z",
                }),
                "MessageAttributes": {
                    "type": {"DataType": "String", "StringValue": f"shipment.{kind}"}
                },
            }
            for kind in ("sent", "delivered")
        ],
    )
    sqs = aws.client("sqs")
    names = ("Track", "Notify", "Unrouted", "Archive")
    for name in names:
        wait_until_empty(sqs, stack.outputs[f"{name}QueueUrl"])
    lines = {
        name: [
            json.loads(event["message"])["event_id"]
            for event in aws.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{stack.name}-{name}", filterPattern=f'"{word}"'
            )["events"]
        ]
        for name, word in (("Track", "tracked"), ("Archive", "archived"))
    }
    print(json.dumps({
        "lines": {name: sorted(ids) for name, ids in lines.items()},
        "dead": sum(visible(sqs, stack.outputs[f"{name}DeadLetterQueueUrl"]) for name in names),
    }))
"""


def replaced(path: Path, *edits: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in edits:
        assert old in text, f"{path.name} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def part(pattern: str, text: str) -> str:
    """The part of a text that a pattern describes."""
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert match, pattern
    return match[0]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more subscriber, added as the page says."""
    made = tmp_path_factory.mktemp("copy") / PROJECT.name
    shutil.copytree(PROJECT, made, ignore=shutil.ignore_patterns(".aws-sam", ".venv*", ".git"))
    for folder in ("unit", "e2e"):
        shutil.rmtree(made / "tests" / folder / "toolkit", ignore_errors=True)
    page = (PROJECT / "docs/adding-a-subscriber.md").read_text("utf-8")
    filter_policy, commands = re.findall(r"^```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    template = (made / "template.yaml").read_text("utf-8")
    section = part(r"^  # --- Track: .*?(?=^  # --- )", template)
    old_filter = part(r"^      FilterPolicy:\n[^\n]*\n", section)
    table = part(r"^  ShipmentsTable:\n.*?\n\n", template)
    new = section.replace(old_filter, filter_policy) + table
    for old, name in (
        ("Track", "Archive"),
        (".track.", ".archive."),
        ("ShipmentsTable", "ArchiveTable"),
        ("SHIPMENTS_TABLE", "ARCHIVE_TABLE"),
    ):
        new = new.replace(old, name)
    row = part(r"^    Track: [^\n]*\n", template)
    replaced(
        made / "template.yaml",
        ("      - Unrouted\n", "      - Unrouted\n      - Archive\n"),
        ("[Track, Notify, Unrouted]", "[Track, Notify, Unrouted, Archive]"),
        (row, row + row.replace("Track", "Archive")),
        ("  # --- Tables ", f"{new}  # --- Tables "),
    )
    subprocess.run(["/bin/sh", "-ec", commands], cwd=made, check=True)
    delivered = "of_type(EventType.DELIVERED) | CALLER, {"
    replaced(made / "tests/template/routing.py", (delivered, f'{delivered}"Archive", '))
    return made


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": f"{copy}:{copy / 'src'}"},
        capture_output=True,
        encoding="utf-8",
    )


def test_resources_of_other_subscribers_stay_as_they_are(copy: Path) -> None:
    before = expand(load("template.yaml"))
    after = expand(parse((copy / "template.yaml").read_text("utf-8")))

    assert {name: after[name] for name in before} == before
    added = after.keys() - before.keys()
    assert {"ArchiveQueue", "ArchiveDeadLettersAlarm", "ArchiveSubscription"} <= added
    assert all(name.startswith("Archive") for name in added)


def test_checks_of_the_project_are_green(copy: Path) -> None:
    checks = ("tests/unit", "tests/template", "toolkit/checks", "--ignore=toolkit/checks/e2e")

    done = run(copy, "-m", "pytest", "-q", *checks)

    assert done.returncode == 0, done.stdout[-4_000:]


def test_new_subscriber_gets_what_it_wants_and_the_others_what_they_got(copy: Path) -> None:
    done = run(copy, "-c", SEE_IT_WORK)

    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "lines": {"Track": ["delivered", "sent"], "Archive": ["delivered"]},
        "dead": 0,
    }
