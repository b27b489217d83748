"""The shipped template on the local AWS, once for all end-to-end tests."""

import tests.isolated  # noqa: F401, I001 - before all that reads the environment

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from local_aws.stack import LocalAws, Stack, deploy, local_aws

Value = TypeVar("Value")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with local_aws() as running:
        yield running


@pytest.fixture(scope="session")
def stack(aws: LocalAws) -> Stack:
    return deploy(aws)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Value]], Value]:
    """Ask again until the answer is true; fail with the last answer after a generous while."""

    def ask(question: Callable[[], Value]) -> Value:
        deadline = time.monotonic() + 60
        while not (answer := question()):
            assert time.monotonic() < deadline, f"still {answer!r} after a minute"
            time.sleep(0.05)
        return answer

    return ask
