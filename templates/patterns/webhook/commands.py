"""Runs each command that this pattern adds, in the rehearsal of a delivery. Not for projects."""

from proofs.inside.commands import CommandError, Operator


def secret(operator: Operator) -> None:
    """A value comes from standard input and is not shown; the one before is valid for a while."""
    first, second = (f"whsec_{letter * 40}" for letter in "AB")
    said = operator.make("secret", "still valid: 0", before=f"echo {first} | ")
    said += operator.make("secret OVERLAP=2", "still valid: 1", before=f"echo {second} | ")
    said += operator.make("secret", "Nothing was changed", before="echo unusable | ", good=False)
    if any(value in said for value in (first, second, "unusable")):
        raise CommandError(f"make secret shows the secret:\n{said}")


COMMANDS = {("secret",): secret}
