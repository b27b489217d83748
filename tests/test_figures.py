"""What tests have counted comes into the documentation, each proof's where it is to be."""

import re

import pytest
from projects import ROOT
from proofs.figures import PAGE, begins, table

PROOFS = re.findall(r"^(prove-[a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_each_test_has_a_row_and_each_thing_that_was_counted_a_column() -> None:
    counted = {
        "tests/test_x.py::test_so_it_is[b]": {"tried": 12_345, "refused": 0},
        "tests/test_x.py::test_other": {"megabytes": 1.46},
    }

    assert table(counted).splitlines() == [
        "| shown | tried | refused | megabytes |",
        "| --- | ---: | ---: | ---: |",
        "| other |  |  | 1.46 |",
        "| so it is: b | 12,345 | 0 |  |",
    ]


@pytest.mark.parametrize("proof", PROOFS)
def test_the_documentation_has_the_command_of_each_proof_and_its_figures(proof: str) -> None:
    page = PAGE.read_text("utf-8")
    _, _, figures = page.partition(f"{begins(proof)}\n\nMade by `make {proof}")

    assert f"\nmake {proof} " in page
    assert figures.partition("<!-- to here -->")[0].count("\n|") > 2
