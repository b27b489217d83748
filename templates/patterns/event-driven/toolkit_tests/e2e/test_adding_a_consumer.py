"""docs/adding-a-consumer.md works as it is written, and touches nothing of the producer."""

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

# Deploys the project that it runs in, uploads a survey, and tells who got its event.
SEE_IT_WORK = """
import json, time
from toolkit.local_aws.stack import deploy, local_aws
from toolkit.messages import visible

with local_aws() as aws:
    stack = deploy(aws)
    bucket, key = stack.outputs["UploadsBucket"], "a.csv"
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"oak,3")
    names = {"Notify": "notified", "Audit": "audited"}
    deadline = time.monotonic() + 60

    def lines():
        return {
            name: len(aws.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{stack.name}-{name}", filterPattern=f'"{word}"'
            )["events"])
            for name, word in names.items()
        }

    while not all(lines().values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    sqs = aws.client("sqs")
    print(json.dumps({
        "lines": lines(),
        "dead": sum(visible(sqs, stack.outputs[f"{name}DeadLetterQueueUrl"]) for name in names),
    }))
"""


def replaced(path: Path, *edits: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in edits:
        assert old in text, f"{path.name} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more consumer, added as the page says."""
    made = tmp_path_factory.mktemp("copy") / PROJECT.name
    shutil.copytree(PROJECT, made, ignore=shutil.ignore_patterns(".aws-sam", ".venv*", ".git"))
    for folder in ("unit", "e2e"):
        shutil.rmtree(made / "tests" / folder / "toolkit", ignore_errors=True)
    page = (PROJECT / "docs/adding-a-consumer.md").read_text("utf-8")
    row, resources, handler = re.findall(r"^```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    replaced(
        made / "template.yaml",
        ("      - Notify\n", "      - Notify\n      - Audit\n"),
        ("[Notify]", "[Notify, Audit]"),
        ("    Notify: { Milli", f"{row}    Notify: {{ Milli"),
        ("  # --- Dashboard ", f"{resources}  # --- Dashboard "),
    )
    (made / "src/service/handlers/audit.py").write_text(handler, "utf-8")
    shutil.copy(made / "events/notify.json", made / "events/audit.json")
    replaced(
        made / "tests/template/routing.py",
        ('(published(), {"Notify"})', '(published(), {"Notify", "Audit"})'),
    )
    return made


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": f"{copy}:{copy / 'src'}"},
        capture_output=True,
        encoding="utf-8",
    )


def test_resources_of_the_producer_and_of_other_consumers_stay_as_they_are(copy: Path) -> None:
    before = expand(load("template.yaml"))
    after = expand(parse((copy / "template.yaml").read_text("utf-8")))

    assert {name: after[name] for name in before} == before
    added = after.keys() - before.keys()
    assert {"AuditQueue", "AuditDeadLettersAlarm", "AuditRule"} <= added
    assert all(name.startswith("Audit") for name in added)


def test_checks_of_the_project_are_green(copy: Path) -> None:
    checks = ("tests/unit", "tests/template", "toolkit/checks", "--ignore=toolkit/checks/e2e")

    done = run(copy, "-m", "pytest", "-q", *checks)

    assert done.returncode == 0, done.stdout[-4_000:]


def test_new_consumer_gets_the_event_and_so_does_the_other(copy: Path) -> None:
    done = run(copy, "-c", SEE_IT_WORK)

    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "lines": {"Notify": 1, "Audit": 1},
        "dead": 0,
    }
