"""Each failing test says what to add, for somebody who adds a function and a queue by hand."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from helpers import run, run_python
from projects import ROOT

ADDED = """\
  RefundFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-Refund
      Handler: service.handlers.refund.handler
      Role: !GetAtt RefundRole.Arn
      MemorySize: 256
      Timeout: 30
      Tags: { function: Refund }
      Environment: { Variables: { QUEUE_URL: !Ref RefundQueue } }
      Events:
        Refunds: { Type: SQS, Properties: { Queue: !GetAtt RefundQueue.Arn } }
        Nightly: { Type: Schedule, Properties: { Schedule: rate(1 day) } }

  RefundQueue:
    Type: AWS::SQS::Queue

"""
HANDLER = """\
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    queue_url: str


def handler(event, context):
    pass
"""
TOLD = (
    "add the function to the list under Fn::ForEach::Functions",
    "add to RefundFunction: DeploymentPreference: { Alarms: [!Ref RefundCanaryAlarm] }",
    "Services in permissions.yaml has to allow them, for: event Schedule",
    "add to the event: FunctionResponseTypes: [ReportBatchItemFailures]",
    "add to the event: ScalingConfig: { MaximumConcurrency: … }",
    "add a RedrivePolicy to the queue RefundQueue",
    "add to RefundQueue: SqsManagedSseEnabled: true",
    "an alarm on ApproximateAgeOfOldestMessage of RefundQueue, and its page in docs/runbook.md",
)


# All that reads the template, and needs no local AWS.
CHECKS = ("tests/template", "toolkit/checks", "--ignore=toolkit/checks/e2e")
BEFORE = "  ShipmentsTable:\n"
ADDING = ("template.yaml", BEFORE, ADDED + BEFORE)
Edit = tuple[str, str, str]


def after(templates: Path, project: Path, edits: list[Edit], *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a project after edits: of a file, something old, and what is new there."""
    made = run("python", "-m", "generator", "new", "queue", project, "--defaults", cwd=templates)
    assert made.returncode == 0, made.stderr
    (project / "src/service/handlers/refund.py").write_text(HANDLER, "utf-8")
    for file, old, new in edits:
        text = (project / file).read_text("utf-8")
        assert old in text
        (project / file).write_text(text.replace(old, new, 1), "utf-8")
    return run_python(project, "-m", "pytest", "-q", "-vv", *tests)


def failures(templates: Path, project: Path, edits: list[Edit], *tests: str) -> str:
    """What tests of a project say that fail after edits."""
    done = after(templates, project, edits, *tests)
    assert done.returncode == 1, done.stdout[-3_000:]
    return done.stdout


def test_each_failure_says_what_to_add(templates: Path, tmp_path: Path) -> None:
    said = failures(templates, tmp_path / "orders", [ADDING], *CHECKS)

    assert [hint for hint in TOLD if hint not in said] == []
    assert not re.search(r"^E +(KeyError|ValueError: (not enough|too many) values)", said, re.MULTILINE)
    assert "IDEMPOTENCY_DAYS" not in said, "it keeps nothing"


def test_checklist_has_what_no_test_can_check() -> None:
    checklist = (ROOT / "templates/common/files/.github/pull_request_template.md").read_text("utf-8")

    [line] = (line for line in checklist.splitlines() if "A function is added" in line)
    assert [what for what in ("unit tests", "`events/`", "dashboard", "`docs/operations.md`") if what not in line] == []


@pytest.mark.parametrize("entry", ['"event SQS": MAPPING', '"event Schedule": RULE'])
def test_event_with_an_empty_entry_is_refused(templates: Path, tmp_path: Path, entry: str) -> None:
    file = "toolkit/checks/test_deploy_role.py"
    event = entry.split('"')[1]

    said = failures(templates, tmp_path / "orders", [ADDING, (file, entry, f'"{event}": ""')], file)

    assert f"say in MAKING above which actions it takes to make, change and remove: {event}" in said


def test_tag_missing_in_one_section_is_reported(templates: Path, tmp_path: Path) -> None:
    tests = "toolkit/checks/test_environments.py"
    old, new = '"environment=staging", ', '"environment=staging", "cost-centre=4711", '

    said = failures(templates, tmp_path / "orders", [("samconfig.toml", old, new)], tests)

    assert "[prod.deploy.parameters] in samconfig.toml: the tag cost-centre is missing" in said
    assert " 1 failed, " in said


def test_tag_in_every_section_is_allowed(templates: Path, tmp_path: Path) -> None:
    # Of dev, staging, prod, local and power-tuning.
    befores = (
        *(f'"environment={name}", ' for name in ("dev", "staging", "prod", "local")),
        "resolve_s3 = true\ntags = [",
    )
    edits = [("samconfig.toml", before, f'{before}"cost-centre=4711", ') for before in befores]
    tests = [f"toolkit/checks/test_{of}.py" for of in ("environments", "deploy_role")]

    done = after(templates, tmp_path / "orders", edits, *tests)

    assert done.returncode == 0, done.stdout[-3_000:]
    with (tmp_path / "orders/samconfig.toml").open("rb") as file:
        sections = [
            section["deploy"]["parameters"]["tags"] for name, section in tomllib.load(file).items() if name != "version"
        ]
    assert len(sections) == 5
    assert all("cost-centre=4711" in section for section in sections)
