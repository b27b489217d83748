"""Before a runtime ends there is a year's notice."""

from datetime import timedelta

import pytest

from toolkit.commands.runtimes import RUNTIMES, notice


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_is_announced_a_year_before_its_end(name: str) -> None:
    ends = RUNTIMES[name].ends

    assert notice(name, ends - timedelta(days=366)) == ""
    assert f"{name} ends on {ends}" in notice(name, ends - timedelta(days=365))
    assert f"{name} has ended on {ends}" in notice(name, ends)
