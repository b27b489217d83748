"""Runs each command that this pattern adds, in the rehearsal of a delivery. Not for projects."""

import re

from proofs.inside.commands import Operator


def failures(operator: Operator) -> None:
    """All failures are replayed; a record that nobody can read comes again, and is deleted."""
    operator.rehearsal.aws.client("kinesis").put_record(
        StreamName=operator.outputs["StreamName"],
        PartitionKey="any",
        Data=b"not what the function reads",
    )
    # A release that was broken has left failures, too.
    [count] = re.findall(
        r"(?m)^(\d+) in ", operator.until("failures", "not what the function reads")
    )
    operator.make("replay-failures", rf"(?m)^{count} put back on ")
    listed = operator.until("failures", r"(?m)^1 in ")
    [key] = re.findall(r"(?m)^(records/\S+)$", listed)
    operator.make(f"discard-failure KEY={key}", "")
    operator.make("failures", r"(?m)^0 in ")
    operator.make("discard-failure KEY=unknown", "is not in", good=False)


COMMANDS = {("failures", "replay-failures", "discard-failure"): failures}
