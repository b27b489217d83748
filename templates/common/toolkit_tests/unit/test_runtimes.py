"""Before a runtime ends there is a year's notice."""

from datetime import UTC, datetime, timedelta

import pytest

from toolkit.commands import runtimes
from toolkit.commands.runtimes import RUNTIMES, Runtime, main, notice


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_is_announced_a_year_before_its_end(name: str) -> None:
    ends = RUNTIMES[name].ends

    assert notice(name, ends - timedelta(days=366)) == ""
    assert f"{name} ends on {ends}" in notice(name, ends - timedelta(days=365))
    assert f"{name} has ended on {ends}" in notice(name, ends)


@pytest.mark.parametrize(
    ("days_left", "said"),
    [(800, ""), (100, "warning: python3.99 ends on"), (-1, "python3.99 has ended on")],
)
def test_linting_warns_of_the_end(
    days_left: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = datetime.now(UTC).date() + timedelta(days=days_left)
    monkeypatch.setitem(RUNTIMES, "python3.99", Runtime(ends, glibc=34))
    use(monkeypatch, "python3.99")

    main()

    printed = capsys.readouterr().err
    assert said in printed
    assert bool(printed) == bool(said)


def test_a_runtime_whose_end_is_not_known_has_to_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "python3.98")

    with pytest.raises(SystemExit, match=r"python3\.98 is not in RUNTIMES"):
        main()


def use(monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    """Let the template's functions have another runtime."""
    globals_ = {"Globals": {"Function": {"Runtime": runtime}}}
    monkeypatch.setattr(runtimes, "template", lambda: globals_)
