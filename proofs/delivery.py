"""`make prove-delivery`: the generated workflows deliver, as they are written, with the roles that they sign in as."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .grants import RECORDERS, lay_recorders
from .projects import ROOT, TOOLS

AWS_CLI = ROOT / ".venv-aws-cli/bin/aws"
LONGEST_SECONDS = 3_600


class DeliveryError(Exception):
    """The rehearsal has failed; the message says at what."""


def rehearse(project: Path, work: Path, *options: str) -> dict[str, Any]:
    """Deliver a project, again and again; what was done.

    Raises:
        DeliveryError: something went otherwise than it has to.
    """
    work.mkdir(parents=True)
    # A copy of the project plays AWS: what the proof adds to that is no part of what is delivered.
    plays_aws = work / "aws"
    shutil.copytree(project, plays_aws, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    lay_recorders(plays_aws)
    for gap in (RECORDERS / "gaps").glob("*.py"):
        if gap.name != "__init__.py":
            shutil.copy(gap, plays_aws / "local_aws/gaps")
    mine = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "AWS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)} | {
        "AWS_CLI": str(AWS_CLI),
        "PYTHONPATH": f"{plays_aws}:{plays_aws / 'src'}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VENV": str(TOOLS),
    }
    done = subprocess.run(
        [TOOLS / "bin/python", "-m", "proofs.inside.rehearsal", project, work, *options],
        cwd=plays_aws,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
        timeout=LONGEST_SECONDS,
    )
    if done.returncode:
        raise DeliveryError("see above")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
