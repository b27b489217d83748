"""What a scanner for security finds in generated projects: nothing, but for what is accepted with its reason."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import run, run_python
from projects import LINTERS, ROOT, make_project, variants

ACCEPTED = yaml.safe_load((ROOT / "tests/accepted_findings.yaml").read_text("utf-8"))
# The scanner does not know Fn::ForEach: it gets the templates written out, by the projects' own means.
WRITE_OUT = """
import json, sys
from pathlib import Path
from toolkit.template import template
for path in [Path("template.yaml"), Path("permissions.yaml"), *Path("toolkit/deploy").glob("*.yaml")]:
    Path(sys.argv[1], path.name).with_suffix(".json").write_text(json.dumps(template(str(path)), default=str))
"""
# Lines that look like a secret, and are none.
NOT_SECRETS = (
    # How long a token is valid.
    "TokenValidityUnits",
    # The names of Secrets Manager's types, actions, clients and resources, and of what holds an ARN.
    "[Ss]ecrets ?[Mm]anager|SECRET_ARN",
    # Headings and comments, which end in a word after the colon.
    "^ *# .*[Ss]ecret: ",
    # The name of an attribute.
    '"#token": "token"',
    # The sequencer of an object, from S3's documentation, and a signature with a secret of the tests.
    "0055AED6DCD90281E5",
    "X-Hub-Signature-256|Stripe-Signature",
    # The event in a Kinesis record: base64 of JSON, which begins with `{"`.
    '"data": "eyJ',
)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project of every variant."""
    folder = tmp_path_factory.mktemp("projects")
    for variant in variants():
        make_project(variant, folder)
    return folder


@pytest.fixture
def stacks(projects: Path, tmp_path: Path) -> Path:
    """A folder with the CloudFormation templates of every variant."""
    for project in projects.iterdir():
        target = tmp_path / project.name
        target.mkdir()
        done = run_python(project, "-c", WRITE_OUT, target)
        assert done.returncode == 0, done.stderr
    return tmp_path


def findings(folder: Path, framework: str, counts: dict[str, int] | None = None) -> set[tuple[str, str]]:
    """The scanner's findings: the check, and the resource."""
    done = run(
        *(LINTERS / "checkov", "--directory", folder, "--framework", framework),
        *("--output", "json", "--quiet", "--compact", "--skip-download"),
    )
    assert done.returncode in (0, 1), done.stderr
    report: Any = json.loads(done.stdout)
    if counts is not None:
        counts |= {"checks passed": report["summary"]["passed"], "findings accepted": report["summary"]["failed"]}
    return {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}


def secrets(folder: Path) -> list[str]:
    """Files in which something looks like a secret.

    What requirements pin has a hash, and tests sign with `test`.
    """
    done = run(
        *(LINTERS / "detect-secrets", "scan", "--all-files", "--no-verify"),
        *("--exclude-files", "(^|/)requirements", "--exclude-secrets", "^(test|ENABLED)$"),
        *("--exclude-lines", "|".join(NOT_SECRETS)),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return sorted(json.loads(done.stdout)["results"])


def is_about(entry: dict[str, str], check: str, resource: str) -> bool:
    """Whether what is accepted is this finding."""
    return entry["check"] == check and bool(re.fullmatch(entry["resources"], resource))


def test_each_checkov_finding_has_an_exception_and_each_exception_a_finding(
    stacks: Path, counts: dict[str, int]
) -> None:
    found = findings(stacks, "cloudformation", counts)

    assert sorted(each for each in found if not any(is_about(entry, *each) for entry in ACCEPTED)) == []
    unused = [entry["check"] for entry in ACCEPTED if not any(is_about(entry, *each) for each in found)]
    assert unused == []
    assert all(each["because"] for each in ACCEPTED)


def test_zizmor_finds_nothing_in_workflows(projects: Path, counts: dict[str, int]) -> None:
    assert findings(projects, "github_actions", counts) == set()


def test_no_file_has_a_secret(projects: Path) -> None:
    assert secrets(projects) == []


def test_a_fault_in_a_stack_is_found(stacks: Path) -> None:
    path = next(stacks.glob("*/template.json"))
    stack = json.loads(path.read_text("utf-8"))
    name, policy = next((n, r) for n, r in stack["Resources"].items() if r["Type"] == "AWS::IAM::Policy")
    policy["Properties"]["PolicyDocument"]["Statement"][0]["Action"] = "*"
    path.write_text(json.dumps(stack), "utf-8")

    assert ("CKV_AWS_63", f"AWS::IAM::Policy.{name}") in findings(path.parent, "cloudformation")


def test_a_secret_in_a_project_is_found(projects: Path, tmp_path: Path) -> None:
    project = shutil.copytree(next(projects.iterdir()), tmp_path / "project")
    key = "AKIA" + "Z7QRSTUVWX2345YZ"
    (project / "src/service/secret.py").write_text(f'ACCESS_KEY_ID = "{key}"\n', "utf-8")

    assert secrets(project) == ["src/service/secret.py"]
