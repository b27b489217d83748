"""The Python versions that the catalogue offers are those that Lambda runs, and for how long."""

import importlib.util
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import yaml

ROOT = Path(__file__).parent.parent
QUESTIONS = yaml.safe_load((ROOT / "templates/catalogue.yaml").read_text("utf-8"))["questions"]
[QUESTION] = (question for question in QUESTIONS if question["name"] == "python_version")


@pytest.fixture(scope="module")
def runtimes() -> Any:
    """The file that every project gets; what it needs of the project is left out."""
    path = ROOT / "templates/common/files/toolkit/commands/runtimes.py"
    spec = importlib.util.spec_from_file_location("runtimes", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    template = ModuleType("toolkit.template")
    template.template = None  # type: ignore[attr-defined]
    toolkit = ModuleType("toolkit")
    with patch.dict(sys.modules, {"toolkit": toolkit, "toolkit.template": template, "runtimes": module}):
        spec.loader.exec_module(module)
    return module


def test_the_catalogue_offers_what_lambda_runs(runtimes: Any) -> None:
    assert [f"python{choice}" for choice in QUESTION["choices"]] == list(runtimes.RUNTIMES)
    assert QUESTION["default"] == QUESTION["choices"][-1], "the newest"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("choice", QUESTION["choices"])
def test_no_choice_has_ended(runtimes: Any, choice: str) -> None:
    today = datetime.now(UTC).date()

    assert today < runtimes.RUNTIMES[f"python{choice}"].ends, "remove it from templates/catalogue.yaml"
    if notice := runtimes.notice(f"python{choice}", today):
        # `make test` shows it and stays green.
        warnings.warn(notice, stacklevel=1)
