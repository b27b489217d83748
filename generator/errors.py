"""The two ways in which the generator says no: a fault in its sources, and a fault in how it is used."""

import click


class BuildError(Exception):
    """A file under `templates/` or `hooks/` breaks a rule. The message names the file, the rule and the fix."""


class UsageError(click.ClickException):
    """What was asked for cannot be done. Says why, and what to do instead."""

    exit_code = 2
