"""Runs each command that this pattern adds, in the rehearsal of a delivery. Not for projects."""

from proofs.inside.commands import Operator


def parked(operator: Operator) -> None:
    """Nothing is parked, so nothing can go on. The project's own tests resume a parked case."""
    operator.make("parked", r"(?m)^0 in ")
    operator.make("resume KEY=unknown", "is not parked", good=False)


COMMANDS = {("parked", "resume"): parked}
