"""Runs each command that this pattern adds, in the rehearsal of a delivery. Not for projects."""

from proofs.inside.commands import Operator


def replay(operator: Operator) -> None:
    """dev has no archive; the replay of one is for the project's own tests."""
    operator.make(
        "replay FROM=2026-01-01T02:00:00Z TO=2026-01-01T03:00:00Z RULE=Notify",
        "has no archive",
        good=False,
    )


def republish(operator: Operator) -> None:
    """Nothing is left in the outbox. The project's own tests publish what is left again."""
    operator.make("republish", "0 are published again")


COMMANDS = {("replay",): replay, ("republish",): republish}
