"""The proof of delivery in a short form, and that it can fail: see proofs/delivery.py."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from projects import Variant, make_project
from proofs.delivery import for_prod, rehearse, section
from proofs.inside.expressions import ExpressionError, Known, evaluate, fill_in
from proofs.inside.workflows import ActionError, Job, Runner

CONTEXTS = {
    "github": {"event": {}, "run_id": "7"},
    "needs": Known(plan=Known(result="success", outputs=Known(changes="false"))),
    "vars": {"EMPTY": ""},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(for_prod(Variant("queue")), tmp_path)


# --- Deliveries ---


@pytest.mark.long
def test_a_release_reaches_prod_and_one_that_breaks_is_stopped_and_taken_back(project: Path, tmp_path: Path) -> None:
    """From an empty account, by the README and the workflows as they stand."""
    done = rehearse(project, tmp_path / "work", "--short")

    ended = {run["release"]: run["jobs"] for run in done["releases"]}
    assert ended["the first release"]["prod / smoke"] == "success"
    assert ended["a release that breaks"]["dev / smoke"] == "failure"
    assert ended["a release that breaks"]["staging"] == "skipped"
    assert ended["the way back"]["prod / smoke"] == "success"
    assert done["approvals"] == ["prod"]
    assert "| queue | the first release | 11 |  |" in section({Variant("queue"): done})


@pytest.mark.long
def test_each_sabotage_is_reported(project: Path, tmp_path: Path) -> None:
    """Each sabotage of proofs/inside/rehearsal.py fails in the job and with the words that it has to.

    Among them are smoke tests that see nothing of a release that breaks: a rehearsal with them fails.
    """
    assert rehearse(project, tmp_path / "work", "--sabotage")


# --- Expressions ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("needs.plan.outputs.changes != 'false'", False),
        ("needs.plan.outputs.changes == 'FALSE'", True),
        ("github.event.pull_request.number || github.run_id", "7"),
        ("!failure() && !cancelled()", True),
        ("${{ !(failure() || vars.EMPTY) }}", True),
        ("vars.MISSING", None),
    ],
)
def test_an_expression_is_what_github_makes_of_it(text: str, value: Any) -> None:
    status = {"failure": lambda: False, "cancelled": lambda: False}

    assert evaluate(text, CONTEXTS, status) == value


@pytest.mark.parametrize(
    "text",
    ["secrets.KEY", "needs.build.result", "needs.plan.outputs.other", "contains('a', 'b')", "1 + 1", "'a", "failure()"],
)
def test_an_expression_that_is_not_known_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, CONTEXTS)


def test_a_text_is_filled_in() -> None:
    assert fill_in("plan-${{ github.run_id }}-${{ vars.MISSING }}", CONTEXTS) == "plan-7-"


# --- The runner ---

CALLED = """\
on: { workflow_call: { inputs: { environment: { type: string } } } }
permissions: {}
env: { ALL: "${{ inputs.environment }}", ONE: all }
jobs:
  first:
    runs-on: ubuntu
    environment: ${{ inputs.environment }}
    permissions: { contents: read, id-token: write }
    outputs: { said: "${{ steps.say.outputs.said }}" }
    env: { ONE: first }
    steps:
      - run: test "$ALL $ONE" = "dev first"
      - uses: an/action@1
      - id: say
        env: { WORD: "${{ vars.WORD }}" }
        run: echo "said=$WORD" >> "$GITHUB_OUTPUT"; echo "LATER=$WORD" >> "$GITHUB_ENV"
      - run: test "$LATER" = hello && test -z "$WORD" && test -z "$AWS_PROFILE"
  second:
    needs: first
    if: needs.first.outputs.said != 'hello'
    runs-on: ubuntu
    steps: [{ run: exit 1 }]
  third:
    needs: [first, second]
    if: ${{ !cancelled() && !failure() }}
    runs-on: ubuntu
    steps: [{ run: "false", continue-on-error: true }, { run: SOMETHING }]
  fourth:
    needs: [third]
    if: ${{ !cancelled() && !failure() }}
    runs-on: ubuntu
    steps: [{ run: exit 1 }]
"""
CALLER = """\
on: push
jobs:
  call:
    uses: ./called.yml
    with: { environment: dev }
    permissions: { contents: read }
  never:
    needs: call
    runs-on: ubuntu
    steps: [{ run: exit 1 }]
"""


def run(tmp_path: Path, something: str = "true", action: str = "an/action") -> tuple[dict[str, str], list[Job]]:
    """How each job of the two workflows ends, and the jobs that the action was run in."""
    (tmp_path / "called.yml").write_text(CALLED.replace("SOMETHING", something), "utf-8")
    (tmp_path / "caller.yml").write_text(CALLER, "utf-8")
    seen: list[Job] = []

    def act(job: Job, given: Mapping[str, str]) -> None:
        seen.append(job)
        if given:
            raise ActionError("it takes nothing")

    machine = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    runner = Runner(tmp_path, tmp_path / "work", {}, {action: act}, lambda _: {"WORD": "hello"}, machine)
    runner.run("caller.yml")
    return {name: job.result for name, job in runner.jobs.items()}, seen


def test_jobs_run_in_their_order_and_under_their_conditions(tmp_path: Path) -> None:
    ended, _ = run(tmp_path)

    assert ended == {
        "call / first": "success",
        "call / second": "skipped",
        "call / third": "success",
        "call / fourth": "failure",
        "call": "failure",
        "never": "skipped",
    }


def test_what_follows_a_failed_job_is_skipped_however_far_away(tmp_path: Path) -> None:
    ended, _ = run(tmp_path, something="exit 1")

    assert (ended["call / third"], ended["call / fourth"]) == ("failure", "skipped")


def test_a_called_workflow_can_do_no_more_than_its_caller(tmp_path: Path) -> None:
    _, [job] = run(tmp_path)

    assert job.permissions == {"contents": "read"}


def test_an_action_without_a_stand_in_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExpressionError, match="no stand-in for the action an/action"):
        run(tmp_path, action="another/action")
