"""`make audit` without a network."""

import sys

import pytest

from toolkit.commands.audit import main

UNREACHED = """Traceback (most recent call last):
  File "pip_audit/_cli.py", line 1, in audit
requests.exceptions.ProxyError: HTTPSConnectionPool(host='example.com', port=443)
"""


def run(monkeypatch: pytest.MonkeyPatch, code: str) -> object:
    monkeypatch.setattr(sys, "argv", ["audit", sys.executable, "-c", code])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_missing_network_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    code = run(monkeypatch, f"import sys; sys.stderr.write({UNREACHED!r}); sys.exit(1)")

    assert code == "No vulnerabilities were looked for: check the network and the proxy settings"


@pytest.mark.parametrize("code", [0, 1])
def test_everything_else_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    found = run(monkeypatch, f"import sys; sys.stderr.write('Found one'); sys.exit({code})")

    assert found == code
    assert capsys.readouterr().err == "Found one"
