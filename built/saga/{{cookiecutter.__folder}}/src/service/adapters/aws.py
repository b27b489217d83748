"""Makes AWS clients that give up before their function does."""

from typing import Any

import boto3
from botocore.config import Config

# One session for all clients: making a second one costs as much as the first.
_session = boto3.session.Session()

# botocore's own default is to wait 60 seconds for an answer, longer than a function lives.
_config = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
)
# Two attempts of three seconds, and at most one second of waiting in between.
LONGEST_CALL_SECONDS = 7


def client(service: str) -> Any:
    """A client for the life of the execution environment: call this at import, not per event."""
    # boto3's types know services by their literal names only.
    return _session.client(service, config=_config)  # type: ignore[call-overload]
