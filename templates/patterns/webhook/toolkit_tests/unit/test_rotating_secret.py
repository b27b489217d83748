"""A secret with several values: which are valid when, and how often it is read."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.runtime.rotating_secret import (
    KEEP_SECONDS,
    REFRESH_SECONDS,
    NoUsableValueError,
    RotatingSecret,
)
from toolkit.runtime.signatures import InvalidKeyError

NOW = 1_000_000


class SecretsManager:
    """Stands in for Secrets Manager."""

    def __init__(self, *entries: Any) -> None:
        self.answer: Any = {"SecretString": json.dumps({"secrets": entries})}
        self.reads = 0

    def get_secret_value(self, **asked: str) -> Any:
        assert asked == {"SecretId": "arn"}
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def key_of(value: str) -> bytes:
    if value == "bad":
        raise InvalidKeyError("must be good")
    return value.encode()


def secret(client: SecretsManager) -> RotatingSecret:
    return RotatingSecret(client, "arn", key_of)  # type: ignore[arg-type]


def test_earlier_value_is_valid_until_its_end_and_not_after() -> None:
    found = secret(SecretsManager({"value": "new"}, {"value": "old", "not_after": NOW}))

    assert found.current(NOW) == (b"new", b"old")
    assert found.current(NOW + 1) == (b"new",)


def test_it_is_read_again_after_a_while_and_not_before() -> None:
    client = SecretsManager({"value": "a"})
    found = secret(client)

    found.current(NOW)
    found.current(NOW + KEEP_SECONDS - 1)
    assert client.reads == 1
    found.current(NOW + KEEP_SECONDS)
    assert client.reads == 2


def test_value_that_was_removed_is_not_valid_for_longer_than_the_copy() -> None:
    client = SecretsManager({"value": "leaked"})
    found = secret(client)
    found.current(NOW)
    client.answer = {"SecretString": json.dumps({"secrets": [{"value": "new"}]})}

    assert found.current(NOW + KEEP_SECONDS) == (b"new",)


def test_unknown_key_lets_it_be_read_at_most_once_a_minute() -> None:
    client = SecretsManager({"value": "a"})
    found = secret(client)
    found.current(NOW)

    assert found.newer(NOW) == ()
    assert found.newer(NOW + REFRESH_SECONDS - 1) == ()
    client.answer = {"SecretString": json.dumps({"secrets": [{"value": "b"}]})}
    assert found.newer(NOW + REFRESH_SECONDS) == (b"b",)
    assert found.newer(NOW + REFRESH_SECONDS) == ()
    assert found.current(NOW + REFRESH_SECONDS) == (b"b",)
    assert client.reads == 2


def test_refresh_that_fails_counts_as_well() -> None:
    client = SecretsManager({"value": "a"})
    found = secret(client)
    found.current(NOW)
    client.answer = ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")

    with pytest.raises(ClientError):
        found.newer(NOW + REFRESH_SECONDS)
    assert found.newer(NOW + REFRESH_SECONDS + 1) == ()
    assert found.current(NOW + REFRESH_SECONDS + 1) == (b"a",), "the copy is still valid"


def test_clock_that_is_set_back_lets_it_be_read_again() -> None:
    client = SecretsManager({"value": "a"})
    found = secret(client)
    found.current(NOW)

    found.current(NOW - 10_000)

    assert client.reads == 2


def test_secret_without_a_value_is_an_error_until_it_has_one() -> None:
    client = SecretsManager()
    client.answer = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
    found = secret(client)

    with pytest.raises(NoUsableValueError):
        found.current(NOW)
    client.answer = {"SecretString": '{"secrets": [{"value": "a"}]}'}
    assert found.current(NOW) == (b"a",)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "marked",
            "[]",
            "{}",
            "null",
            '"marked"',
            '{"secrets": 1}',
            '{"secrets": ["marked"]}',
        ),
        *('{"secrets": []}', '{"secrets": [{}]}', '{"secrets": [{"value": "bad"}]}'),
        '{"secrets": [{"value": 1}]}',
        '{"secrets": [{"value": "marked", "not_after": "tomorrow"}]}',
        '{"secrets": [{"value": "marked", "not_after": 1}]}',
        None,
    ],
)
def test_unusable_secret_is_an_error_that_does_not_quote_it(text: str | None) -> None:
    client = SecretsManager()
    client.answer = {"SecretString": text} if text is not None else {}

    with pytest.raises(NoUsableValueError) as raised:
        secret(client).current(NOW)
    assert "marked" not in str(raised.value)


def test_other_errors_are_raised() -> None:
    client = SecretsManager()
    client.answer = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")

    with pytest.raises(ClientError, match="AccessDenied"):
        secret(client).current(NOW)
