"""The deployed stack that ENV names; whoever runs this is signed in to AWS."""

import os

import pytest

from scripts.stacks import outputs_of, region_of


@pytest.fixture(scope="session")
def region() -> str:
    return region_of(os.environ["ENV"])


@pytest.fixture(scope="session")
def outputs() -> dict[str, str]:
    return outputs_of(os.environ["ENV"])
