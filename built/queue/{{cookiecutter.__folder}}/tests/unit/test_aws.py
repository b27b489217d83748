"""Clients give up before their function does."""

from service.adapters.aws import client


def test_a_client_never_waits_for_long() -> None:
    config = client("sqs").meta.config

    assert config.connect_timeout <= 2
    assert config.read_timeout <= 5
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
