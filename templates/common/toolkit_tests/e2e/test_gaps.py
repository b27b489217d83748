"""A gap that a newer ministack has closed is reported, so that its file can go."""

import subprocess

from toolkit.local_aws.stack import LOCAL_AWS_PYTHON
from toolkit.stacks import PROJECT


def test_every_gap_is_still_there() -> None:
    done = subprocess.run(
        [LOCAL_AWS_PYTHON, "-m", "toolkit.local_aws.gaps"],
        cwd=PROJECT,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        check=True,
    )

    assert done.stdout == ""
