"""Runs each command that this pattern adds, in the rehearsal of a delivery. Not for projects."""

from proofs.inside.commands import Operator


def run_now(operator: Operator) -> None:
    """The run of a scheduled time is sent; a time that is none is refused."""
    operator.make("run-now", "Sent the run of ")
    operator.make("run-now AT=2026-01-01T02:00:00Z", "Sent the run of 2026-01-01T02:00:00Z")
    operator.make("run-now AT=yesterday", "AT: ", good=False)


def pause_and_resume(operator: Operator) -> None:
    """In dev, the schedule is off from the beginning."""
    operator.make("resume", "was DISABLED and is ENABLED")
    operator.make("pause", "was ENABLED and is DISABLED")


def fire_times(operator: Operator) -> None:
    """The next times at which the schedule fires."""
    operator.make("fire-times", r"(?m)^Next:\n  \d{4}-\d{2}-\d{2} ")


COMMANDS = {
    ("run-now",): run_now,
    ("pause", "resume"): pause_and_resume,
    ("fire-times",): fire_times,
}
