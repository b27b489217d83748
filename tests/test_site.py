"""The documentation builds as a site, strictly, and has a page per pattern."""

import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from helpers import CATALOGUE, ROOT, run

PATTERNS = sorted(CATALOGUE.patterns)


def built(docs: Path, site: Path) -> CompletedProcess[str]:
    """What the command of `make site` says."""
    return run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", docs, site)


def copied(tmp_path: Path) -> None:
    """All that the site is made from."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs", dirs_exist_ok=True)
    (tmp_path / "templates").mkdir(exist_ok=True)
    shutil.copy(ROOT / "templates/catalogue.yaml", tmp_path / "templates")
    for outside in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / outside, tmp_path)
    (tmp_path / "tests").mkdir(exist_ok=True)
    for test in (ROOT / "tests").glob("*.py"):
        shutil.copy(test, tmp_path / "tests")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    done = built(ROOT / "docs", site)
    assert done.returncode == 0, done.stderr
    return site


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_has_a_page_that_the_menu_leads_to(site: Path, pattern: str) -> None:
    assert f'href="patterns/{pattern}.html"' in (site / "index.html").read_text("utf-8")
    assert (site / f"patterns/{pattern}.html").is_file()


def test_the_first_page_says_what_it_is_and_leads_on(site: Path) -> None:
    page = (site / "index.html").read_text("utf-8")
    text = re.sub(r"<[^>]+>", "", page)

    assert "Creates serverless applications for AWS" in page
    assert "pip install git+" in text
    assert "Callers need the result in the answer" in text
    for file in ("CONTRIBUTING.md", "CHANGELOG.md"):
        assert f'/blob/main/{file}">' in page


def test_code_has_a_copy_button_and_wide_tables_scroll(site: Path) -> None:
    page = (site / "getting-started.html").read_text("utf-8")

    assert "copybutton.js" in page
    assert "site.css" in page
    assert "overflow-x: auto" in (site / "_static/site.css").read_text("utf-8")


SOURCES = {
    "gh:my-org/templates": "https://github.com/my-org/templates",
    "gl:my-group/platform/templates": "https://gitlab.com/my-group/platform/templates",
    "git@git.example.com:platform/templates.git": "https://git.example.com/platform/templates",
    "git.example.com:platform/templates.git": "https://git.example.com/platform/templates",
    "ssh://git@git.example.com:2222/platform/templates.git": "https://git.example.com/platform/templates",
    "https://bot:secret@git.example.com/platform/templates.git": "https://git.example.com/platform/templates",
    "git+https://git.example.com/platform/templates": "https://git.example.com/platform/templates",
    "https://git.example.com:8443/templates.git": "https://git.example.com:8443/templates",
    "/srv/git/templates.git": "",
    "~/templates": "",
    "../templates": "",
}


def with_source(folder: Path, source: str) -> Path:
    """What the site is made from, published at another address."""
    copied(folder)
    catalogue = folder / "templates/catalogue.yaml"
    catalogue.write_text(catalogue.read_text("utf-8").replace(CATALOGUE.source, f'"{source}"'), "utf-8")
    return folder / "docs"


@pytest.mark.parametrize(("source", "address"), SOURCES.items())
def test_any_address_that_git_takes_has_its_pages_or_none(source: str, address: str) -> None:
    shown = run("python", "-c", f"import conf; print(conf.pages_of({source!r}))", cwd=ROOT / "docs")

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip() == address


@pytest.mark.parametrize("source", ["git@git.example.com:platform/templates.git", "/srv/git/templates.git"])
def test_the_site_of_a_fork_leads_to_the_fork(tmp_path: Path, source: str) -> None:
    docs = with_source(tmp_path, CATALOGUE.source)
    assert built(docs, tmp_path / "site").returncode == 0
    with_source(tmp_path, source)

    done = built(docs, tmp_path / "site")

    assert done.returncode == 0, done.stderr
    pages = [path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert not [page for page in pages if "org/serverless-templates/blob" in page]
    if SOURCES[source]:
        assert [page for page in pages if f"{SOURCES[source]}/blob/main/CONTRIBUTING.md" in page]


@pytest.mark.parametrize(
    "link",
    ["[gone](gone.md)", "[gone](updates.md#gone)", "[gone](../gone.md)"],
    ids=["page", "heading", "file of the repository"],
)
def test_a_broken_link_fails(tmp_path: Path, link: str) -> None:
    copied(tmp_path)
    with (tmp_path / "docs/updates.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{link}\n")

    done = built(tmp_path / "docs", tmp_path / "site")

    assert done.returncode != 0
    assert "gone" in done.stderr
