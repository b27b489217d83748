"""Rehearses a project's delivery on the local AWS, from an empty account to the way back from a broken release.

    python -m proofs.inside.rehearsal PROJECT WORK [--short | --sabotage | --prod]

Runs with the Python and the modules of a copy of the project that plays AWS. Prints, as JSON, what was done.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import boto3
import yaml
from toolkit.local_aws.stack import LOCAL_AWS_PYTHON, VENV, LocalAws, local_aws
from toolkit.stacks import settings_of
from toolkit.template import template

from .commands import CommandError, commands_of, run_all
from .stand_ins import JOB, STAND_INS, Actions, Edit, GitHub, RefusedError, write_programs
from .workflows import BASH, Results, Runner

DEPLOY = ".github/workflows/deploy.yml"
BUILD = ".github/workflows/ci.yml"
TO_AN_ENVIRONMENT = ".github/workflows/deploy-environment.yml"
ROLES = "toolkit/deploy/pipeline.yaml"
PATTERNS = Path(__file__).parents[3] / "templates/patterns"
# Another retention than each that samconfig.toml states, among those that CloudWatch Logs knows.
RETENTION = {"7": "14", "14": "3", "30": "60", "60": "90", "365": "400", "400": "545"}
# A resource that CloudFormation cannot make, whatever the project: nobody sends the signal that it waits for.
NEVER_MADE = """\
  NeverSignalled: { Type: AWS::CloudFormation::WaitConditionHandle }
  NeverMade:
    Type: AWS::CloudFormation::WaitCondition
    Properties: { Handle: !Ref NeverSignalled, Timeout: "1" }
"""


class Account(LocalAws):
    """The local AWS for who looks on: with a key that nobody else has. `test` is no key here."""

    @cached_property
    def session(self) -> boto3.session.Session:
        """The rehearsal's own session, as in gaps/unknown_keys.py."""
        return boto3.session.Session("rehearsal", "rehearsal", region_name=self.region)


class RehearsalError(Exception):
    """Something went otherwise than it has to."""


@dataclass
class Rehearsal:
    """A repository, an account, and what was done with them."""

    aws: LocalAws
    repository: Path
    work: Path
    # The folder of the project's pattern in templates/.
    pattern: Path
    github: GitHub
    environments: tuple[str, ...]
    done: list[dict[str, Any]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    runs: int = 0
    # The newest build, for releases to one environment, which build nothing.
    built: Path | None = None
    ref: str = "refs/heads/main"

    # --- Whoever does something ---

    @property
    def machine(self) -> dict[str, str]:
        """The environment variables that jobs and people have; no credentials, and nothing of this machine's HOME."""
        kept = ("LANG", "PIP_", "SSL_", "UV_")
        local = ("AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL", "SAM_CLI_TELEMETRY")
        return {
            **{name: value for name, value in os.environ.items() if name.startswith(kept)},
            **{name: self.aws.environment[name] for name in local},
            "LAMBDA": "",
            "PATH": f"{self.work / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(JOB),
            "REHEARSAL_API_NAMES": str(self.api_names()),
            "VENV": VENV,
        }

    def api_names(self) -> Path:
        """Where the local AWS answers to names of APIs; it writes that down once it does."""
        path = Path(self.aws.ca).parent / "api-names.json"
        deadline = time.monotonic() + 60
        while not path.exists():
            if time.monotonic() > deadline:
                raise RehearsalError("the local AWS does not answer to the names of APIs")
            time.sleep(0.1)
        return path

    def person(self, name: str) -> dict[str, str]:
        """An administrator's machine: keys of a user of their own, and GitHub's command line."""
        iam = self.aws.client("iam")
        iam.create_user(UserName=name)
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(everything))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        home = self.work / f"home-{name}"
        home.mkdir()
        path = self.machine["PATH"].split(":")
        return self.machine | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            # Not where the stacks are: each command says that itself.
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "HOME": str(home),
            "PATH": ":".join([path[0], f"{VENV}/bin", *path[1:]]),
        }

    def shell(self, script: str, variables: Mapping[str, str], *, good: bool | None = True) -> str:
        """What commands print that a person pastes in the repository; they end well, or not, or either (None)."""
        done = subprocess.run(
            [BASH, "-eo", "pipefail", "-c", script],
            cwd=self.repository,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        if good is not None and (done.returncode == 0) != good:
            raise RehearsalError(f"{script.strip()}\n{done.stdout[-3_000:]}")
        return done.stdout

    # --- The account ---

    def set_up(self, administrator: Mapping[str, str], *, whole: bool = True) -> None:
        """The steps of toolkit/deploy/README.md as they are; all of them, or those of each environment only."""
        readme = (self.repository / "toolkit/deploy/README.md").read_text("utf-8")
        blocks = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)
        per_environment = [block for block in blocks if "environment=" in block or "$environment" in block]
        for number, environment in enumerate(self.environments):
            text = "\n".join(per_environment).replace("environment=dev", f"environment={environment}")
            if number:
                # As the README says: false if the provider exists.
                text = text.replace("CreateGitHubProvider=true", "CreateGitHubProvider=false")
            self.shell(text, administrator)
            if environment == "prod":
                # "For `prod`, name who approves": by hand, in GitHub's settings.
                self.github.require_reviewers(environment)
        if not whole:
            return
        for block in blocks:
            if block not in per_environment:
                self.shell(block, administrator)
        if not self.github.read()["runs"]:
            raise RehearsalError("toolkit/deploy/README.md does not start the first release")

    # --- Releases ---

    def commit(self, message: str, *edits: Edit) -> None:
        """Change the repository."""
        for edit in edits:
            edit(self.repository)
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "--message", message)

    def revert(self) -> None:
        """Take back the last commit."""
        git(self.repository, "revert", "--no-edit", "HEAD")

    def release(self, what: str, workflow: str = DEPLOY, **inputs: str) -> Results:
        """Run the workflow for the newest commit; what became of each job."""
        self.runs += 1
        started = time.monotonic()
        folder = self.work / f"run-{self.runs}"
        artifacts = folder / "artifacts"
        artifacts.mkdir(parents=True)
        if workflow == TO_AN_ENVIRONMENT:
            assert self.built
            shutil.copytree(self.built, artifacts, dirs_exist_ok=True)
        else:
            self.built = artifacts
        commit = git(self.repository, "rev-parse", "HEAD").strip()
        context = {
            "event": {},
            "event_name": "push",
            "ref": self.ref,
            "repository": self.github.repository,
            "workspace": str(self.repository),
            "run_id": str(self.runs),
            "sha": commit,
        }
        actions = Actions(self.repository, commit, artifacts, self.github, self.aws, Path(VENV))
        runner = Runner(self.repository, folder, context, actions.by_name(), self.github.enter, self.machine)
        runner.run(workflow, **inputs)
        ended = {name: job.result for name, job in runner.jobs.items()}
        self.done.append({"release": what, "jobs": ended, "seconds": round(time.monotonic() - started)})
        print(f"{what}: {json.dumps(ended)} {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        return runner.jobs

    def green(self, what: str) -> Results:
        """A release that arrives everywhere."""
        jobs = self.release(what)
        for name, job in jobs.items():
            if job.result == "failure" and job.log:
                raise RehearsalError(f"{what}: {name} has failed:\n{job.log[-4_000:]}")
        tried = [name for name, job in jobs.items() if job.result == "success" and name.endswith("/ smoke")]
        if tried != [f"{environment} / smoke" for environment in self.environments]:
            raise RehearsalError(f"{what}: smoke tests ran in {', '.join(tried) or 'no environment'} only")
        return jobs

    def red(self, what: str, job: str, reason: str, workflow: str = DEPLOY, **inputs: str) -> Results:
        """A release that a job stops, for a reason, and that gets no further."""
        jobs = self.release(what, workflow, **inputs)
        failed = [name for name, one in jobs.items() if one.result == "failure" and one.log]
        if failed != [job]:
            raise RehearsalError(f"{what}: {job} has to fail, and these have: {', '.join(failed) or 'none'}")
        if not re.search(reason, jobs[job].log):
            raise RehearsalError(f"{what}: {job} fails, but not for {reason!r}:\n{jobs[job].log[-4_000:]}")
        later = [name for name in jobs if name.split(" / ")[0] in self.environments[1:] and "/" in name]
        if later:
            raise RehearsalError(f"{what}: goes on to {', '.join(later)}")
        return jobs

    # --- What is there afterwards ---

    def versions(self) -> dict[str, str]:
        """The version that each alias of each environment's functions serves."""
        functions = self.aws.client("lambda")
        return {
            alias["AliasArn"]: alias["FunctionVersion"]
            for environment in self.environments
            for function in self.resources(environment, "AWS::Lambda::Function")
            for alias in functions.list_aliases(FunctionName=function)["Aliases"]
        }

    def retention(self) -> dict[str, int]:
        """How long each log group of each environment is kept."""
        logs = self.aws.client("logs")
        return {
            group: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]
            for environment in self.environments
            for group in self.resources(environment, "AWS::Logs::LogGroup")
        }

    def resources(self, environment: str, kind: str) -> list[str]:
        """Physical ids of a type of resource of an environment's stack."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources")
        return [
            one["PhysicalResourceId"]
            for page in pages.paginate(StackName=stack_of(environment))
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == kind
        ]

    def stack(self, environment: str) -> dict[str, Any]:
        """What CloudFormation says of an environment's stack."""
        found: dict[str, Any]
        [found] = self.aws.client("cloudformation").describe_stacks(StackName=stack_of(environment))["Stacks"]
        return found

    def exists(self, environment: str) -> bool:
        """Whether an environment has a stack."""
        pages = self.aws.client("cloudformation").get_paginator("list_stacks").paginate()
        stacks = [one for page in pages for one in page["StackSummaries"] if one["StackName"] == stack_of(environment)]
        return any(one["StackStatus"] != "DELETE_COMPLETE" for one in stacks)

    def another_retention(self) -> None:
        """A change that is not committed."""
        another_retention(self.repository)

    def undo(self) -> None:
        """Take back what is not committed."""
        git(self.repository, "checkout", "--quiet", ".")


# --- Changes to the repository ---


def another_release(repository: Path) -> None:
    """Other code in each function, and another retention of logs in each environment."""
    for path in handlers(repository):
        path.write_text(f"{path.read_text('utf-8')}\nRELEASE = 2\n", "utf-8")
    another_retention(repository)


def another_retention(repository: Path) -> None:
    """Logs are kept otherwise, in each environment."""
    path = repository / "samconfig.toml"
    text = path.read_text("utf-8")
    # The rehearsal's own environments; that of the local AWS is no stack here.
    days = re.compile(rf"LogRetentionDays=({'|'.join(RETENTION)})\b")
    path.write_text(days.sub(lambda found: f"LogRetentionDays={RETENTION[found[1]]}", text), "utf-8")


def every_function_fails(repository: Path) -> None:
    """Each function raises an error, whatever it is given."""
    for path in handlers(repository):
        broken = "\n\ndef handler(*_: object) -> None:\n    raise RuntimeError('broken on purpose')\n"
        path.write_text(path.read_text("utf-8") + broken, "utf-8")


def cannot_be_made(repository: Path) -> None:
    """The template gets a resource that CloudFormation cannot make."""
    replace(repository / "template.yaml", r"(?m)^Resources:\n", f"Resources:\n{NEVER_MADE}")


def handlers(repository: Path) -> list[Path]:
    """The modules of the functions' handlers."""
    functions = (one["Properties"] for one in template()["Resources"].values() if one["Type"].endswith("::Function"))
    names = {one["Handler"].rpartition(".")[0] for one in functions}
    return [repository / "src" / Path(*name.split(".")).with_suffix(".py") for name in sorted(names)]


def edit(repository: Path, file: str, pattern: str, by: str) -> None:
    """Change one file."""
    replace(repository / file, pattern, by)


def replace(path: Path, pattern: str, by: Any) -> None:
    """Change a file; it is an error when nothing changes."""
    text = path.read_text("utf-8")
    changed = re.sub(pattern, by, text)
    if changed == text:
        raise RehearsalError(f"{path.name} has no {pattern}")
    path.write_text(changed, "utf-8")


def git(repository: Path, *arguments: str) -> str:
    """What git prints."""
    identity = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com")
    command = ["/usr/bin/git", *identity, *arguments]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, encoding="utf-8").stdout


def stack_of(environment: str) -> str:
    """The name of an environment's stack."""
    return str(settings_of(environment)["global"]["parameters"]["stack_name"])


# --- The rehearsal itself ---


def rehearse(rehearsal: Rehearsal, *, short: bool) -> None:
    """From an empty account to the way back.

    Raises:
        RehearsalError: the first thing that went otherwise than it has to.
    """
    administrator = rehearsal.person("administrator")
    rehearsal.set_up(administrator)
    rehearsal.green("the first release")
    if not short:
        before, kept = rehearsal.versions(), rehearsal.retention()
        rehearsal.commit("Change code and configuration", another_release)
        rehearsal.green("a change")
        if still := [alias for alias, version in rehearsal.versions().items() if version == before.get(alias)]:
            raise RehearsalError(f"a change: serve the old version: {', '.join(still)}")
        if still := [group for group, days in rehearsal.retention().items() if days == kept.get(group)]:
            raise RehearsalError(f"a change: are kept as long as before: {', '.join(still)}")
    first, *_ = rehearsal.environments
    rehearsal.commit("Break every function", every_function_fails)
    rehearsal.red("a release that breaks", f"{first} / smoke", r"\d failed")
    rehearsal.revert()
    rehearsal.green("the way back")
    if not short:
        rehearsal.commit("Ask for what cannot be made", cannot_be_made)
        rehearsal.red("a change that CloudFormation refuses", f"{first} / apply", "UPDATE_ROLLBACK_COMPLETE")
        if (status := rehearsal.stack(first)["StackStatus"]) != "UPDATE_ROLLBACK_COMPLETE":
            raise RehearsalError(f"the stack of {first} is {status} after a refused change")
        rehearsal.shell(f"make smoke ENV={first}", administrator)
        rehearsal.revert()
        rehearsal.green("after a refused change")
        rehearsal.commands = run_all(rehearsal, first, administrator, commands_of(rehearsal.pattern))
    approved = rehearsal.github.approvals
    applied = sum(run["jobs"].get("prod / apply") == "success" for run in rehearsal.done)
    if approved != ["prod"] * applied:
        raise RehearsalError(f"prod was changed {applied} times, and approval was asked for {len(approved)} times")


# --- What is broken on purpose ---


@dataclass(frozen=True)
class Sabotage:
    """Something wrong in the repository, and the job that has to fail for it, with what it says."""

    what: str
    job: str
    says: str
    file: str
    pattern: str
    by: str


SABOTAGES = (
    Sabotage("a job without the right to a token", "plan", "id-token", TO_AN_ENVIRONMENT, r"\n +id-token: write.*", ""),
    Sabotage("a job that has no role", "plan", "no role is named", TO_AN_ENVIRONMENT, r"(role-to-assume:).*", r"\1 ''"),
    Sabotage(
        "a plan with the role of apply",
        "plan",
        "not authorized to perform",
        TO_AN_ENVIRONMENT,
        r"(environment: .*)-plan",
        r"\1",
    ),
    Sabotage(
        "a plan whose outputs GitHub drops",
        "apply",
        "CHANGE_SET=arn is needed",
        TO_AN_ENVIRONMENT,
        r"(changes|change_set): \$\{\{ steps.*",
        r"\1: ''",
    ),
    Sabotage(
        "smoke tests that sign as somebody else",
        "smoke",
        "InvalidClientTokenId|UnrecognizedClient|security token",
        "toolkit/testing.py",
        r"\Z",
        "\nCALLERS_ENVIRONMENT |= {'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test'}\n"
        "del CALLERS_ENVIRONMENT['AWS_SESSION_TOKEN']\n",
    ),
)


def sabotage(rehearsal: Rehearsal) -> None:
    """Break things on purpose, in one environment.

    Raises:
        RehearsalError: something is broken, and nothing tells.
    """
    environment = rehearsal.environments[0]
    rehearsal.environments = (environment,)
    administrator = rehearsal.person("administrator")
    rehearsal.set_up(administrator, whole=False)

    def release(what: str) -> Results:
        return rehearsal.release(what, TO_AN_ENVIRONMENT, environment=environment)

    rehearsal.release("a build", BUILD)
    if any(job.result != "success" for job in release("as it is").values()):
        raise RehearsalError("what is not broken does not work either")
    for one in SABOTAGES:
        rehearsal.commit(one.what, partial(edit, file=one.file, pattern=one.pattern, by=one.by))
        rehearsal.red(one.what, one.job, one.says, TO_AN_ENVIRONMENT, environment=environment)
        rehearsal.revert()
    for path in (rehearsal.repository / "tests/smoke").glob("test_*.py"):
        path.write_text("def test_nothing() -> None: ...\n", "utf-8")
    rehearsal.commit("Break every function, with smoke tests that see nothing", every_function_fails)
    rehearsal.release("a build", BUILD)
    try:
        rehearsal.red("smoke tests that see nothing", "smoke", "failed", TO_AN_ENVIRONMENT, environment=environment)
    except RehearsalError as error:
        if "smoke has to fail, and these have: none" not in str(error):
            raise
    else:
        raise RehearsalError("a broken release is stopped by smoke tests that see nothing")
    rehearsal.revert()
    rehearsal.ref = "refs/heads/feature"
    refused = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    rehearsal.red("another branch", "plan", refused, TO_AN_ENVIRONMENT, environment=environment)
    rehearsal.ref = "refs/heads/main"
    rehearsal.commit("Change something", another_retention)
    for action, job in (("ExecuteChangeSet", "apply"), ("DescribeChangeSet", "plan")):
        right = rf"- cloudformation:{action}\b"
        rehearsal.commit(f"Take {action} away", partial(edit, file=ROLES, pattern=right, by="- sns:Publish"))
        rehearsal.set_up(administrator, whole=False)
        rehearsal.red(f"a role without {action}", job, action, TO_AN_ENVIRONMENT, environment=environment)
        rehearsal.revert()


def deploy_to_prod(rehearsal: Rehearsal) -> None:
    """Release to prod alone, and then a change. Of all environments, it takes the most rights.

    Raises:
        RehearsalError: a job has failed.
    """

    def deliver(what: str) -> None:
        for name, job in rehearsal.release(what, TO_AN_ENVIRONMENT, environment="prod").items():
            if job.result != "success":
                raise RehearsalError(f"{what}: {name} is {job.result}:\n{job.log[-4_000:]}")

    rehearsal.environments = ("prod",)
    rehearsal.set_up(rehearsal.person("administrator"), whole=False)
    rehearsal.release("a build", BUILD)
    deliver("the first release")
    rehearsal.commit("Change something", another_retention)
    deliver("a change")


def check_gaps() -> None:
    """What the local AWS can do by itself needs no gap of the proof any more.

    Raises:
        RehearsalError: it names the gaps that can go.
    """
    asked = subprocess.run(
        [LOCAL_AWS_PYTHON, "-m", "toolkit.local_aws.gaps"], check=True, capture_output=True, encoding="utf-8"
    )
    if asked.stdout:
        raise RehearsalError(f"ministack has closed a gap by itself: {asked.stdout}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--short", action="store_true", help="the first release, one that breaks, and the way back")
    parser.add_argument("--sabotage", action="store_true", help="check that what is broken on purpose is reported")
    parser.add_argument("--prod", action="store_true", help="release to prod alone, and then a change")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    repository = arguments.project.resolve()
    environments = tuple(re.findall(r"environment: (\w+)$", (repository / DEPLOY).read_text("utf-8"), re.MULTILINE))
    answers = yaml.safe_load((repository / ".copier-answers.yml").read_text("utf-8"))
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet", "--initial-branch", "main")
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message", "Begin")
    github = GitHub(work / "github.json", answers["repository"])
    left_out = work / "left-out"
    left_out.write_text("", "utf-8")
    write_programs(work / "bin", Path(sys.executable), Path(os.environ["AWS_CLI"]), github.state, left_out)
    try:
        check_gaps()
        with local_aws() as aws:
            account = Account(aws.endpoint, aws.ca, aws.region, aws.log)
            rehearsal = Rehearsal(account, repository, work, PATTERNS / answers["pattern"], github, environments)
            if arguments.sabotage:
                sabotage(rehearsal)
            elif arguments.prod:
                deploy_to_prod(rehearsal)
            else:
                rehearse(rehearsal, short=arguments.short)
    except (CommandError, RehearsalError, RefusedError) as error:
        sys.exit(f"{error}")
    if arguments.sabotage or arguments.prod:
        print(json.dumps(rehearsal.done))
        return
    used = github.used | set(left_out.read_text("utf-8").splitlines()) | {"gh", "api names"}
    if unused := STAND_INS.keys() - used:
        sys.exit(f"stand_ins.py: nothing needs {', '.join(sorted(unused))} any more")
    done = {"releases": rehearsal.done, "approvals": github.approvals, "commands": rehearsal.commands}
    print(json.dumps(done | {"stand_ins": STAND_INS}))


if __name__ == "__main__":
    main()
