"""`make secret` adds a value, gives the earlier ones an end, and shows none."""

import getpass
import io
import json
import sys
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.commands import secret
from toolkit.signed_delivery import LOCAL_VALUE

NOW = 1_000_000


class SecretsManager:
    """Stands in for Secrets Manager."""

    def __init__(self, *entries: Any) -> None:
        self.text = json.dumps({"secrets": entries}) if entries else None

    def get_secret_value(self, **_: str) -> dict[str, str]:
        if self.text is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.text}

    def put_secret_value(self, **asked: str) -> None:
        self.text = asked["SecretString"]

    @property
    def entries(self) -> Any:
        return json.loads(self.text or "{}")["secrets"]


def add(client: SecretsManager, value: str, overlap: int = 100) -> int:
    return secret.add(client, "arn", value, NOW, overlap)  # type: ignore[arg-type]


def test_first_value_has_no_end() -> None:
    client = SecretsManager()

    assert add(client, "a") == 0
    assert client.entries == [{"value": "a"}]


def test_earlier_values_end_and_what_has_ended_goes() -> None:
    client = SecretsManager(
        {"value": "a"}, {"value": "soon", "not_after": NOW + 10}, {"value": "gone", "not_after": 1}
    )

    assert add(client, "b") == 2
    assert client.entries == [
        {"value": "b"},
        {"value": "a", "not_after": NOW + 100},
        {"value": "soon", "not_after": NOW + 10},
    ]


def test_overlap_of_nothing_ends_the_others_at_once() -> None:
    client = SecretsManager({"value": "leaked"})

    assert add(client, "b", overlap=0) == 0
    assert client.entries == [{"value": "b"}]


def test_same_value_again_is_there_once() -> None:
    client = SecretsManager({"value": "a"})

    add(client, "a")

    assert client.entries == [{"value": "a"}]


def test_other_errors_are_raised_and_nothing_is_written() -> None:
    class Denied(SecretsManager):
        def get_secret_value(self, **_: str) -> dict[str, str]:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")

    client = Denied({"value": "a"})
    before = client.text

    with pytest.raises(ClientError):
        add(client, "b")
    assert client.text == before


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `make secret` with a line of input; the client that it used."""
    client = SecretsManager({"value": "earlier-value"})
    monkeypatch.setattr(secret, "scheme_of_template", lambda: "standard-webhooks")
    monkeypatch.setattr(secret, "outputs_of", lambda _: {"SecretArn": "arn"})
    monkeypatch.setattr(secret, "region_of", lambda _: "eu-west-1")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)

    def run(line: str, *arguments: str) -> SecretsManager:
        monkeypatch.setattr(sys, "argv", ["secret", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(line))
        secret.main()
        return client

    return run


def test_value_comes_from_standard_input_and_is_not_shown(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    client = command(f"{LOCAL_VALUE}\n", "--overlap", "2")

    shown = capsys.readouterr()
    assert client.entries[0] == {"value": LOCAL_VALUE}
    assert "still valid: 1" in shown.out
    assert LOCAL_VALUE not in shown.out + shown.err
    assert "earlier-value" not in shown.out + shown.err


@pytest.mark.parametrize("line", ["", "\n", "not-a-secret\n"])
def test_unusable_value_is_refused_without_showing_it(
    command: Any, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    with pytest.raises(SystemExit, match="Nothing was changed") as raised:
        command(line)
    assert "not-a-secret" not in str(raised.value) + capsys.readouterr().out


@pytest.mark.parametrize("hours", ["-1", "8761", "nan"])
def test_overlap_has_limits(command: Any, hours: str) -> None:
    with pytest.raises(SystemExit):
        command(LOCAL_VALUE, "--overlap", hours)


def test_person_types_the_value_without_seeing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _: " typed ")

    assert secret.value_from_operator() == "typed"
