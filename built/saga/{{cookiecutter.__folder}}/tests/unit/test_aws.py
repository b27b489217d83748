"""Clients give up before their function does."""

from service.adapters.aws import LONGEST_CALL_SECONDS, client


def test_a_client_never_waits_for_long() -> None:
    config = client("sqs").meta.config

    attempts = config.retries["total_max_attempts"]
    # Botocore waits at most 1, 2, 4, … seconds between attempts.
    waiting = sum(2**n for n in range(attempts - 1))
    assert (
        attempts * (config.connect_timeout + config.read_timeout) + waiting <= LONGEST_CALL_SECONDS
    )
