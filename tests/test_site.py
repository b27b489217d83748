"""The documentation builds as a site, strictly, and has a page per pattern."""

import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from helpers import CATALOGUE, ROOT, run

PATTERNS = sorted(CATALOGUE.patterns)


def built(docs: Path, site: Path) -> CompletedProcess[str]:
    """What the command of `make site` says."""
    return run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", docs, site)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    done = built(ROOT / "docs", site)
    assert done.returncode == 0, done.stderr
    return site


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_has_a_page_that_the_menu_leads_to(site: Path, pattern: str) -> None:
    assert f'href="patterns/{pattern}.html"' in (site / "README.html").read_text()
    assert (site / f"patterns/{pattern}.html").is_file()


@pytest.mark.parametrize(
    "link",
    ["[gone](gone.md)", "[gone](updates.md#gone)", "[gone](../gone.md)"],
    ids=["page", "heading", "file of the repository"],
)
def test_a_broken_link_fails(tmp_path: Path, link: str) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "templates").mkdir()
    shutil.copy(ROOT / "templates/catalogue.yaml", tmp_path / "templates")
    for outside in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / outside, tmp_path)
    (tmp_path / "tests").mkdir()
    for test in (ROOT / "tests").glob("*.py"):
        shutil.copy(test, tmp_path / "tests")
    with (tmp_path / "docs/updates.md").open("a") as page:
        page.write(f"\n{link}\n")

    done = built(tmp_path / "docs", tmp_path / "site")

    assert done.returncode != 0
    assert "gone" in done.stderr
