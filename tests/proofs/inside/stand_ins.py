"""What stands in for the world around a workflow, each by its name: actions, GitHub, tools that are installed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from .workflows import Action, ActionError, Job

ISSUER = "token.actions.githubusercontent.com"
GIT = "/usr/bin/git"
JOB = Path(__file__).parent / "job"

# What differs from a run at GitHub and AWS, and why. The rehearsal fails when one of these was not needed.
STAND_INS = {
    "actions/checkout": "a clone of the local commit",
    "actions/setup-python": "the Python and the packages that are installed already, whatever version is asked for",
    "actions/upload-artifact": "a folder",
    "actions/download-artifact": "that folder",
    "aws-actions/configure-aws-credentials": "an unsigned token with GitHub's claims, judged by its trust policy",
    "gh": "keeps GitHub's environments and variables in a file",
    "approval": "says yes, and writes down that it was asked",
    "make lint": "left out: tests/test_generated.py runs it",
    "make test": "left out: tests/test_generated.py runs it",
    "make budget": "left out: tests/test_generated.py runs it",
    "make audit": "left out: it asks a database of advisories",
    "make build": "wheels for this machine, and not for Lambda's",
    "api names": "an API's name on AWS resolves to the local AWS, with a certificate that is trusted",
}


class RefusedError(Exception):
    """The rehearsal cannot go on: something before it is missing."""


class GitHub:
    """Its environments as gh.py keeps them, and the people who approve."""

    def __init__(self, state: Path, repository: str) -> None:
        self.state = state
        owner, name = repository.split("/")
        known = {"full_name": repository, "name": name, "id": 2, "owner": {"login": owner, "id": 1}, "private": False}
        # The subject of its tokens, with ids: the README asks for it by `gh api`.
        self.subject = f"{owner}@1/{name}@2"
        self.repository = repository
        self.used: set[str] = set()
        self.approvals: list[str] = []
        state.write_text(json.dumps({"repository": known, "environments": {}, "runs": []}), "utf-8")

    def read(self) -> dict[str, Any]:
        """What was set up."""
        found: dict[str, Any] = json.loads(self.state.read_text("utf-8"))
        return found

    def require_reviewers(self, name: str) -> None:
        """What an administrator does by hand: Settings, Environments, Required reviewers."""
        state = self.read()
        reviewer = {"type": "User", "reviewer": {"login": "approver"}}
        state["environments"][name]["protection_rules"].append({"type": "required_reviewers", "reviewers": [reviewer]})
        self.state.write_text(json.dumps(state), "utf-8")

    def enter(self, name: str) -> Mapping[str, str]:
        """Let a job into its environment, with approval if that is asked for; returns the variables there."""
        environments = self.read()["environments"]
        if name not in environments:
            raise RefusedError(f"the GitHub environment {name} is missing: GitHub would create it unprotected")
        if "main" not in environments[name]["branches"]:
            raise RefusedError(f"the GitHub environment {name} is not open to main")
        if environments[name]["protection_rules"]:
            self.used.add("approval")
            self.approvals.append(name)
        found: dict[str, str] = environments[name]["variables"]
        return found


@dataclass(frozen=True)
class Actions:
    """The actions that reach outside, for one run of a workflow."""

    repository: Path
    commit: str
    artifacts: Path
    github: GitHub
    aws: Any
    tools: Path

    def by_name(self) -> Mapping[str, Action]:
        """Each action that has a stand-in."""
        known = {
            "actions/checkout": self.checkout,
            "actions/setup-python": self.setup_python,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
            "aws-actions/configure-aws-credentials": self.sign_in,
        }
        return {name: self._counted(name, action) for name, action in known.items()}

    def _counted(self, name: str, action: Action) -> Action:
        def run(job: Job, given: Mapping[str, str]) -> None:
            self.github.used.add(name)
            action(job, given)

        return run

    def checkout(self, job: Job, given: Mapping[str, str]) -> None:
        """The commit, in a fresh clone."""
        _only(given, "persist-credentials")
        if job.permissions.get("contents") != "read":
            raise ActionError("Repository not found: the job lacks `contents: read`")
        for command in (("clone", "--quiet", self.repository, "."), ("checkout", "--quiet", self.commit)):
            subprocess.run([GIT, *command], cwd=job.folder, check=True, capture_output=True)

    def setup_python(self, job: Job, given: Mapping[str, str]) -> None:
        """A Python first in PATH."""
        _only(given, "python-version", "cache", "cache-dependency-path")
        job.variables["PATH"] = f"{job.variables['PATH'].partition(':')[0]}:{self.tools}/bin:{job.variables['PATH']}"

    def upload(self, job: Job, given: Mapping[str, str]) -> None:
        """Keep a folder for later jobs; hidden files only if asked for, as the action does."""
        _only(given, "name", "path", "include-hidden-files", "if-no-files-found", "retention-days")
        source = job.folder / given["path"]
        hidden = given.get("include-hidden-files") == "true"
        files = [path for path in source.rglob("*") if path.is_file() and (hidden or not _hidden(path, job.folder))]
        if not files:
            if given.get("if-no-files-found") == "error":
                raise ActionError(f"No files were found with the provided path: {given['path']}")
            return
        target = self.artifacts / given["name"]
        if target.exists():
            raise ActionError(f"an artifact with the name {given['name']} already exists")
        for path in files:
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.relative_to(source))  # The action drops who may execute a file.

    def download(self, job: Job, given: Mapping[str, str]) -> None:
        """Lay what an earlier job kept."""
        _only(given, "name", "path")
        if not (self.artifacts / given["name"]).exists():
            raise ActionError(f"Artifact not found for name: {given['name']}")
        shutil.copytree(self.artifacts / given["name"], job.folder / given["path"], dirs_exist_ok=True)

    def sign_in(self, job: Job, given: Mapping[str, str]) -> None:
        """Exchange the job's token for keys of the role: the local AWS judges the role's trust policy."""
        _only(given, "role-to-assume", "role-session-name", "aws-region")
        if job.permissions.get("id-token") != "write":
            raise ActionError("Credentials could not be loaded: did you mean to set the `id-token` permission?")
        if not given["role-to-assume"]:
            raise ActionError("Credentials could not be loaded: no role is named")
        claims = {
            "iss": f"https://{ISSUER}",
            "aud": "sts.amazonaws.com",
            "sub": f"repo:{self.github.subject}:environment:{job.environment}",
            "repository": self.github.repository,
            "ref": job.contexts["github"]["ref"],
            "environment": job.environment,
        }
        sts = boto3.client(
            "sts",
            region_name=given["aws-region"],
            endpoint_url=self.aws.endpoint,
            verify=self.aws.ca,
            config=Config(signature_version=UNSIGNED),
        )
        try:
            answer = sts.assume_role_with_web_identity(
                RoleArn=given["role-to-assume"],
                RoleSessionName=given["role-session-name"],
                WebIdentityToken=_jwt(claims),
            )
        except (ClientError, ParamValidationError) as error:
            raise ActionError(f"Could not assume role with OIDC: {error}") from error
        keys = answer["Credentials"]
        job.variables |= {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "AWS_REGION": given["aws-region"],
            "AWS_DEFAULT_REGION": given["aws-region"],
        }


def write_programs(folder: Path, python: Path, aws_cli: Path, state: Path, left_out: Path) -> None:
    """The commands that jobs and people find in PATH before the machine's own."""
    make = shutil.which("make")
    skipped = [name.removeprefix("make ") for name, what in STAND_INS.items() if what.startswith("left out")]
    programs = {
        # In an environment of its own, without what jobs have in Python's path.
        "aws": f'exec env -u PYTHONPATH {aws_cli} "$@"',
        "gh": f'exec {python} -E {JOB / "gh.py"} {state} "$@"',
        # With the environments that are installed already, which a newer requirements file does not make anew.
        "make": f"""\
case "$1" in {"|".join(skipped)}) echo "make $1" >> {left_out}; exit 0;; build) echo "make build" >> {left_out};; esac
old=""; for file in requirements/*; do old="$old --old-file=$file"; done
exec {make} $old "$@"
""",
    }
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        (folder / name).chmod(0o755)


def _only(given: Mapping[str, str], *known: str) -> None:
    if unknown := given.keys() - set(known):
        raise RefusedError(f"the stand-in does not know the input {', '.join(sorted(unknown))}")


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _jwt(claims: Mapping[str, str]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "unsigned"])


Edit = Callable[[Path], None]
