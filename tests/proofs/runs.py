"""Runs on the local AWS, several at the same time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    """For runs on the local AWS, which wait for much of their time; who stops us, stops them as well."""

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        sys.exit("stopped")

    signal.signal(signal.SIGTERM, stop)
    with ThreadPoolExecutor(os.cpu_count()) as runs:
        try:
            yield runs
        finally:
            runs.shutdown(cancel_futures=True)
