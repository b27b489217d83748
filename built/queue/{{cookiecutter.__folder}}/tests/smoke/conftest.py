"""The deployed stack that ENV names, with the AWS credentials of whoever runs this."""

import os
import sys

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from scripts.stacks import in_words, outputs_of, region_of


@pytest.fixture(scope="session")
def region() -> str:
    return region_of(os.environ["ENV"])


@pytest.fixture(scope="session")
def outputs() -> dict[str, str]:
    if "tests.isolated" in sys.modules:
        pytest.fail("Other tests of this run have hidden your AWS credentials: use `make smoke`")
    try:
        return outputs_of(os.environ["ENV"])
    except (BotoCoreError, ClientError) as error:
        pytest.exit(in_words(error), returncode=1)
