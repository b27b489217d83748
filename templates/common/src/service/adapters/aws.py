"""Makes AWS clients that give up before their function does."""

from typing import Any

import boto3
from botocore.config import Config

# One session for all clients: making a second one costs as much as the first.
_session = boto3.session.Session()

# botocore's own default is to wait 60 seconds for an answer, longer than a function lives.
_config = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


def client(service: str) -> Any:
    """A client for the life of the execution environment: call this at import, not per event."""
    # boto3's types know services by their literal names only.
    return _session.client(service, config=_config)  # type: ignore[call-overload]
