"""The two ways in which the generator says no: a fault in its sources, and a fault in how it is used."""

import click


class BuildError(Exception):
    """A file under `templates/` or `hooks/` breaks a rule. Says which file, which rule, and how to mend it."""


class UsageError(click.ClickException):
    """What was asked for cannot be done. Says why, and what to do instead."""

    exit_code = 2
