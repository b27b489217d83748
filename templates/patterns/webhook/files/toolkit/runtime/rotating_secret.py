"""Reads a secret with several values from Secrets Manager, and keeps it for a while.

    {"secrets": [{"value": "…"}, {"value": "…", "not_after": 1767225600}]}

A value without `not_after` is the current one; the others are taken until that second.
`make secret` writes this form. What is kept is a copy that is never older than KEEP_SECONDS; an
execution environment that loses it reads it again.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from toolkit.runtime.signatures import InvalidKeyError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# How long a value that was taken out of the secret may still be accepted.
KEEP_SECONDS = 300
# A value that is not known yet lets the secret be read again, at most so often: otherwise wrong
# signatures would each cost a call.
REFRESH_SECONDS = 60


class NoUsableValueError(Exception):
    """The secret has no value that is usable now; the message contains none."""


class RotatingSecret:
    """The secret of one ARN, each value turned into a key."""

    def __init__(
        self, secretsmanager: "SecretsManagerClient", arn: str, key: Callable[[str], bytes]
    ) -> None:
        self._secretsmanager = secretsmanager
        self._arn = arn
        self._key = key
        self._known: tuple[tuple[bytes, int | None], ...] = ()
        self._read_at: int | None = None
        self._asked_at: int | None = None

    def current(self, now: int) -> tuple[bytes, ...]:
        """The keys that are valid now.

        Raises:
            NoUsableValueError: there is none.
            ClientError: Secrets Manager could not be asked.
        """
        if not _within(KEEP_SECONDS, self._read_at, now):
            self._read(now)
        return self._valid(now)

    def newer(self, now: int) -> tuple[bytes, ...]:
        """The keys after reading the secret again; none if that was done less than a minute ago.

        Raises:
            NoUsableValueError: there is none.
            ClientError: Secrets Manager could not be asked.
        """
        if _within(REFRESH_SECONDS, self._asked_at, now):
            return ()
        self._read(now)
        return self._valid(now)

    def _read(self, now: int) -> None:
        self._asked_at = now
        try:
            found: Any = self._secretsmanager.get_secret_value(SecretId=self._arn)
        except ClientError as error:
            # There is no value yet: make secret was never run.
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._known, self._read_at = (), None
            raise NoUsableValueError("the secret has no value") from None
        self._known = self._keys_in(found.get("SecretString"))
        self._read_at = now

    def _keys_in(self, text: Any) -> tuple[tuple[bytes, int | None], ...]:
        try:
            entries = json.loads(text)["secrets"]
            pairs = [(entry["value"], entry.get("not_after")) for entry in entries]
            known = tuple((self._key(value), end) for value, end in pairs)
        except InvalidKeyError as error:
            raise NoUsableValueError(f"a value {error}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise NoUsableValueError("the secret is not of the form that it must have") from None
        if any(not isinstance(end, int | None) for _, end in known):
            raise NoUsableValueError("not_after must be a whole number of seconds")
        return known

    def _valid(self, now: int) -> tuple[bytes, ...]:
        valid = tuple(key for key, end in self._known if end is None or now <= end)
        if not valid:
            raise NoUsableValueError("no value is valid any more")
        return valid


def _within(seconds: int, moment: int | None, now: int) -> bool:
    """Whether a moment is less than some seconds ago. One in the future is not: clocks are set."""
    return moment is not None and 0 <= now - moment < seconds
