"""Lambda's Python runtimes: when each ends, and which packages its system can load.

    python -m toolkit runtimes    (part of `make lint`)

Warns from a year before the functions' runtime ends. Lambda then patches it no more, and later
refuses to create and to update functions; cfn-lint fails from that day on (W2531, E2531, E2533).
"""

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from toolkit.template import template

SOURCE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
NOTICE = timedelta(days=365)


@dataclass(frozen=True)
class Runtime:
    """A runtime: the day of its deprecation, and the minor version of its glibc 2."""

    ends: date
    glibc: int


# As SOURCE said on 2026-11-26. Amazon Linux 2 has glibc 2.26, Amazon Linux 2023 has 2.34.
RUNTIMES = {
    "python3.11": Runtime(date(2027, 6, 30), glibc=26),
    "python3.12": Runtime(date(2028, 10, 31), glibc=34),
    "python3.13": Runtime(date(2029, 6, 30), glibc=34),
    "python3.14": Runtime(date(2029, 6, 30), glibc=34),
}


def notice(name: str, today: date) -> str:
    """What is to be said of a runtime on a day; empty as long as it has more than a year."""
    ends = RUNTIMES[name].ends
    if today + NOTICE < ends:
        return ""
    return (
        f"{name} {'has ended' if today >= ends else 'ends'} on {ends}: {SOURCE}\n"
        "Take a newer one: Runtime in template.yaml, RUNTIME in src/Makefile, and python-version "
        "in .github/workflows/."
    )


def main() -> None:
    """A step of `make lint`."""
    name = template()["Globals"]["Function"]["Runtime"]
    if name not in RUNTIMES:
        sys.exit(f"{name} is not in RUNTIMES of toolkit/commands/runtimes.py: see {SOURCE}")
    if text := notice(name, datetime.now(UTC).date()):
        print(f"warning: {text}", file=sys.stderr)
