"""Settings are read once, and a mistake in the template is named by the first line of the log."""

from dataclasses import dataclass

import pytest

from toolkit.runtime.environment import SettingsError, read_settings


@dataclass(frozen=True)
class Settings:
    queue_url: str
    attempts: int


def test_settings_come_from_variables_of_the_same_name() -> None:
    environ = {"QUEUE_URL": "https://queue", "ATTEMPTS": "3", "OTHER": "x"}

    assert read_settings(Settings, environ) == Settings("https://queue", 3)


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        pytest.param({"ATTEMPTS": "3"}, "QUEUE_URL is not set", id="missing"),
        pytest.param({"QUEUE_URL": " ", "ATTEMPTS": "3"}, "QUEUE_URL is not set", id="blank"),
        pytest.param(
            {"QUEUE_URL": "u", "ATTEMPTS": "many"},
            "ATTEMPTS must be a whole number, not 'many'",
            id="not a number",
        ),
        pytest.param({}, "QUEUE_URL is not set; ATTEMPTS is not set", id="all at once"),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Settings, environ)

    assert str(caught.value).startswith(complaint)
