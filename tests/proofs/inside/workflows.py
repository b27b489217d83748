"""Runs the workflows of a generated project as GitHub does: job by job, step by step, as they are written.

What reaches outside is an action; each has a stand-in in stand_ins.py, and an action without one is an error.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .expressions import ExpressionError, Known, as_text, asks_for_status, evaluate, fill_in

BASH = "/bin/bash"
# Keys that change nothing here: names, machines, time limits, and what another run at the same time would do.
_IGNORED = {"name", "runs-on", "timeout-minutes", "concurrency"}
_JOB = _IGNORED | {"environment", "env", "if", "needs", "outputs", "permissions", "steps", "uses", "with"}
_STEP = _IGNORED | {"continue-on-error", "env", "id", "if", "run", "uses", "with"}
_WORKFLOW = _IGNORED | {"env", "on", "jobs", "permissions"}


@dataclass
class Job:
    """A job that runs: what its steps may see and change."""

    name: str
    folder: Path
    # What GitHub lets its token do, and the environment that it deploys to.
    permissions: Mapping[str, str]
    environment: str
    variables: dict[str, str]
    contexts: dict[str, Any]
    log: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class Result:
    """How a job ended, and what it leaves to others."""

    result: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


Results = dict[str, Result]
Action = Callable[[Job, Mapping[str, str]], None]


@dataclass(frozen=True)
class Call:
    """How a workflow is run: by a job of another one, or by nobody."""

    inputs: Known = field(default_factory=Known)
    # What the calling job may do: a called workflow can do no more.
    granted: Mapping[str, str] | None = None
    caller: str = ""


class ActionError(Exception):
    """An action fails; the message is what its log would say."""


@dataclass
class Runner:
    """Runs workflows of one commit."""

    sources: Path
    work: Path
    github: Mapping[str, Any]
    actions: Mapping[str, Action]
    # Asked before a job of a GitHub environment runs: returns its variables.
    enter: Callable[[str], Mapping[str, str]]
    # The environment variables of each job, and nothing else of this machine's.
    machine: Mapping[str, str]
    # Each job that was run, by its full name, such as `dev / plan`.
    jobs: Results = field(default_factory=dict)

    def run(self, path: str, **inputs: str) -> str:
        """Run a workflow; how it ended."""
        return self._workflow(path, Call(Known(inputs)))

    def _workflow(self, path: str, call: Call) -> str:
        workflow = self.read(path)
        _only(workflow, _WORKFLOW, path)
        results: Results = {}
        broken: dict[str, bool] = {}
        waiting = dict(workflow["jobs"])
        while waiting:
            ready = [name for name, job in waiting.items() if set(_list(job.get("needs"))) <= results.keys()]
            if not ready:
                raise ExpressionError(f"{path}: {', '.join(waiting)} wait for each other")
            for name in ready:
                job = waiting.pop(name)
                _only(job, _JOB, f"{path}: {name}")
                job.setdefault("permissions", workflow.get("permissions", {}))
                job["env"] = workflow.get("env", {}) | job.get("env", {})
                needed = _list(job.get("needs"))
                before = {one: results[one] for one in needed}
                # A job has failed when one before it has, however far back.
                broken[name] = any(broken[one] for one in needed)
                results[name] = self._job(f"{call.caller}{name}", job, before, call, broken=broken[name])
                broken[name] = broken[name] or results[name].result == "failure"
        failed = any(result.result == "failure" for result in results.values())
        return "failure" if failed else "success"

    def _job(self, name: str, job: Mapping[str, Any], needed: Results, call: Call, *, broken: bool) -> Result:
        contexts: dict[str, Any] = {
            "github": self.github,
            "inputs": call.inputs,
            "needs": Known({one: Known(result=r.result, outputs=r.outputs) for one, r in needed.items()}),
        }
        status = {
            "always": lambda: True,
            "cancelled": lambda: False,
            "failure": lambda: broken,
            "success": lambda: all(result.result == "success" for result in needed.values()),
        }
        if not _holds(job.get("if"), contexts, status):
            self.jobs[name] = Result("skipped")
        elif "uses" in job:
            given = Known({key: fill_in(value, contexts) for key, value in job.get("with", {}).items()})
            declared = self.read(job["uses"].removeprefix("./"))["on"]["workflow_call"] or {}
            if given.keys() != declared.get("inputs", {}).keys():
                raise ExpressionError(f"{name}: {job['uses']} takes {', '.join(declared.get('inputs', {}))}")
            result = self._workflow(job["uses"].removeprefix("./"), Call(given, job["permissions"], f"{name} / "))
            self.jobs[name] = Result(result)
        else:
            stated, granted = job["permissions"], call.granted
            allowed = {right: how for right, how in stated.items() if granted is None or granted.get(right) == how}
            self.jobs[name] = self._steps(name, job, contexts, allowed)
        return self.jobs[name]

    def _steps(self, name: str, job: Mapping[str, Any], contexts: dict[str, Any], allowed: Mapping[str, str]) -> Result:
        environment = fill_in(job.get("environment", ""), contexts)
        contexts = contexts | {
            "vars": self.enter(environment) if environment else {},
            # A step that does not run has no outputs; one that is not there is a mistake.
            "steps": Known({step["id"]: Known(outputs={}, outcome="skipped") for step in job["steps"] if "id" in step}),
            "job": Known(),
        }
        folder = self.work / name.replace(" / ", "-")
        for part in ("home", "tmp", "workspace"):
            (folder / part).mkdir(parents=True)
        variables = {
            **self.machine,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            **{key: fill_in(value, contexts) for key, value in job.get("env", {}).items()},
        }
        running = Job(name, folder / "workspace", allowed, environment, variables, contexts)
        failed = False
        for number, step in enumerate(job["steps"]):
            _only(step, _STEP, f"{name}: step {number}")
            status = {
                "always": lambda: True,
                "cancelled": lambda: False,
                "failure": lambda: failed,  # noqa: B023 - asked before the next step
                "success": lambda: not failed,  # noqa: B023
            }
            if not _holds(step.get("if"), contexts, status):
                continue
            good = self._step(running, step)
            failed = failed or (not good and not step.get("continue-on-error", False))
        outputs = Known({key: fill_in(value, contexts) for key, value in job.get("outputs", {}).items()})
        return Result("failure" if failed else "success", outputs, "\n".join(running.log), running.summary)

    def _step(self, job: Job, step: Mapping[str, Any]) -> bool:
        """Run one step; whether it went well."""
        files = {
            name: job.folder.parent / "tmp" / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        for path in files.values():
            path.write_text("", "utf-8")
        given = {key: fill_in(value, job.contexts) for key, value in step.get("env", {}).items()}
        if "uses" in step:
            action = step["uses"].partition("@")[0]
            if action not in self.actions:
                raise ExpressionError(f"{job.name}: there is no stand-in for the action {action}")
            job.log.append(f"Run {action}")
            try:
                self.actions[action](
                    job, {key: fill_in(value, job.contexts) for key, value in step.get("with", {}).items()}
                )
                good = True
            except ActionError as error:
                job.log.append(f"Error: {error}")
                good = False
        else:
            command = fill_in(step["run"], job.contexts)
            job.log.append(f"Run {command}")
            # As GitHub runs a step that names no shell.
            script = job.folder.parent / "tmp/step.sh"
            script.write_text(command, "utf-8")
            done = subprocess.run(
                [BASH, "-e", script],
                cwd=job.folder,
                env=job.variables | given | {name: str(path) for name, path in files.items()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
            job.log.append(done.stdout)
            good = done.returncode == 0
        job.variables |= _pairs(files["GITHUB_ENV"])
        job.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        if name := step.get("id"):
            # GitHub gives an output that was never set as an empty text.
            outcome = "success" if good else "failure"
            job.contexts["steps"][name] = Known(outputs=_pairs(files["GITHUB_OUTPUT"]), outcome=outcome)
        return good

    def read(self, path: str) -> Any:
        """A workflow of the commit; `on` is text in YAML 1.2, and true in PyYAML's 1.1."""
        loaded = yaml.safe_load((self.sources / path).read_text("utf-8"))
        return {"on" if key is True else key: value for key, value in loaded.items()}


def _holds(condition: Any, contexts: Mapping[str, Any], status: Mapping[str, Callable[[], bool]]) -> bool:
    text = as_text(condition)
    if not asks_for_status(text) and not status["success"]():
        return False
    return not text or bool(evaluate(text, contexts, status))


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _only(found: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := found.keys() - known:
        raise ExpressionError(f"{where}: {', '.join(sorted(unknown))} cannot be run here")


def _pairs(path: Path) -> dict[str, str]:
    """What a step has set: lines of `name=value`."""
    lines = path.read_text("utf-8").splitlines()
    if bad := [line for line in lines if "=" not in line]:
        raise ExpressionError(f"{path.name}: {bad[0]!r} is not name=value")
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def path_with(*folders: Path) -> str:
    """PATH with folders before what the machine has."""
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])
