"""The documentation builds as a site, strictly, has a page per pattern, and a browser shows it as it is meant."""

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from helpers import CATALOGUE, ROOT, run

PATTERNS = sorted(CATALOGUE.patterns)
PAGES = sorted(
    path.relative_to(ROOT / "docs").with_suffix("").as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if path != ROOT / "docs/README.md"
)


def built(docs: Path, site: Path) -> CompletedProcess[str]:
    """What the command of `make site` says."""
    return run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", docs, site)


def copied(folder: Path) -> None:
    """Copy to `folder` all that the site is made from."""
    for name in ("docs", "templates", "tests"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv-site").symlink_to(ROOT / ".venv-site")


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
    assert "It is for teams that start a service" in text
    assert "pip install git+" in text
    assert "serverless-templates new queue" in text
    assert "What starts the work?" in text


@pytest.mark.parametrize(("page", "heading"), [("contributing", "Add a pattern"), ("changelog", "Unreleased")])
def test_the_menu_leads_to_what_is_outside_of_docs(site: Path, page: str, heading: str) -> None:
    assert f'href="{page}.html"' in (site / "index.html").read_text("utf-8")
    assert f"<h2>{heading}<" in (site / f"{page}.html").read_text("utf-8")


def test_planned_pattern_is_marked_as_planned(site: Path) -> None:
    instead = {other.instead for pattern in CATALOGUE.patterns.values() for other in pattern.not_for}
    text = re.sub(r"<[^>]+>", "", (site / "index.html").read_text("utf-8"))

    for name in instead - set(PATTERNS):
        assert set(re.findall(rf"(?m)^{name}\b(.*)$", text)) == {" (planned)"}, name


class Loaded(HTMLParser):
    """Collects the addresses that a page loads something from; links are not among them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"link": ["href"], "a": []}.get(tag, ["src", "srcset", "data", "href", "poster"])
        self.addresses += [value for name, value in attrs if name in names and value]


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    elsewhere = []
    for page in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(page.read_text("utf-8"))
        inline = re.findall(r"""(?:from|import\(?)\s*["'](\w+:)?//[^"']*""", page.read_text("utf-8"))
        elsewhere += [each for each in loaded.addresses if re.match(r"(\w+:)?//", each)] + inline
    for sheet in site.rglob("*.css"):
        elsewhere += re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]*)""", sheet.read_text("utf-8"))

    assert not elsewhere


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def look(*addresses: str) -> list[dict[str, Any]]:
    """What Chromium shows at each address, once per width and theme."""
    done = run(ROOT / ".venv-site/bin/node", ROOT / "docs/tools/look.cjs", *addresses)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def looks(address: str) -> list[dict[str, Any]]:
    looks = look(*(f"{address}/{page}.html" for page in PAGES))
    assert {(each["width"], each["theme"]) for each in looks} == {
        (width, theme) for width in (1280, 390) for theme in ("light", "dark")
    }
    return [{"page": each["url"].removeprefix(f"{address}/").removesuffix(".html")} | each for each in looks]


def faults(looks: list[dict[str, Any]], fact: str) -> dict[tuple[str, int, str], Any]:
    """The looks where there is something to say under `fact`."""
    return {(each["page"], each["width"], each["theme"]): each[fact] for each in looks if each[fact]}


def test_every_picture_is_drawn_large_enough_to_read(looks: list[dict[str, Any]]) -> None:
    seen = 0
    for each in looks:
        source = (ROOT / "docs" / each["page"]).with_suffix(".md").read_text("utf-8")
        assert len(each["pictures"]) == source.count("```mermaid\n"), each
        for picture in each["pictures"]:
            seen += 1
            assert picture["width"] > 0, each
            assert picture["height"] > 0, each
            assert picture["scale"] > 0.64, each
            if each["width"] == 1280:  # a phone scrolls
                assert picture["cutOff"] == 0, each

    assert seen


def test_pictures_have_the_colours_of_the_page(looks: list[dict[str, Any]]) -> None:
    for page in {each["page"] for each in looks if each["pictures"]}:
        colours = {
            each["theme"]: [(picture["fill"], picture["letters"]) for picture in each["pictures"]]
            for each in looks
            if each["page"] == page
        }
        for light, dark in zip(colours["light"], colours["dark"], strict=True):
            assert brightness(light[0]) > 128 > brightness(light[1]), page
            assert brightness(dark[0]) < 128 < brightness(dark[1]), page


def brightness(colour: str) -> float:
    """From 0 for black to 255 for white; `colour` is what a browser computes, such as `rgb(1, 2, 3)`."""
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def test_a_picture_is_drawn_when_its_page_is_opened_from_a_disk(site: Path) -> None:
    for each in look((site / "patterns/queue.html").as_uri()):
        assert [picture["width"] > 0 for picture in each["pictures"]] == [True]
        assert not each["errors"]


def test_the_chooser_leads_to_every_pattern_in_two_clicks_without_a_server(site: Path) -> None:
    """In a browser, on a phone, opened from a disk."""
    ends = look("--choose", (site / "patterns/README.html").as_uri())

    assert CATALOGUE.chooser
    leads_to = list(CATALOGUE.chooser.patterns())
    assert len(ends) == len(leads_to)
    for end, pattern in zip(ends, leads_to, strict=True):
        assert end["clicks"] <= 2
        assert pattern in end["said"]
        assert end["leadsTo"] == (f"{pattern}.html" if pattern in PATTERNS else None)
    assert set(PATTERNS) <= set(leads_to)


def test_no_page_scrolls_sideways(looks: list[dict[str, Any]]) -> None:
    assert not faults(looks, "sideways")
    assert not faults(looks, "tooWide")


def test_the_names_of_patterns_stay_whole_in_tables(looks: list[dict[str, Any]]) -> None:
    assert not faults(looks, "splitNames")


def test_every_code_block_has_a_copy_button(looks: list[dict[str, Any]]) -> None:
    assert {each["page"]: each["copyButtons"] for each in looks} == {each["page"]: each["code"] for each in looks}
    assert any(each["code"] for each in looks)


def test_no_page_has_errors_or_asks_another_host(looks: list[dict[str, Any]]) -> None:
    assert not faults(looks, "errors")
    assert not faults(looks, "elsewhere")


def test_search_results_are_text(address: str) -> None:
    excerpts = look(f"{address}/search.html?q=redrive")[0]["excerpts"]

    assert len(excerpts) > 1
    assert any("redrive" in each.lower() for each in excerpts)
    assert not [each for each in excerpts if re.search(r"-->|-\. |flowchart|subgraph", each)]


def test_make_site_removes_what_was_there(tmp_path: Path) -> None:
    copied(tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/old.html").touch()

    made = ("--old-file=.venv/.made", "--old-file=.venv-site/.made")
    done = run("make", "--directory", tmp_path, "--file", ROOT / "Makefile", *made, "site")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/index.html").is_file()
    assert not (tmp_path / "site/old.html").exists()


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


@pytest.mark.parametrize(
    "source", ["git@git.example.com:platform/templates.git", "gl:my-group/platform/templates", "/srv/git/templates.git"]
)
def test_the_site_of_a_fork_leads_to_the_fork(tmp_path: Path, source: str) -> None:
    done = built(with_source(tmp_path, source), tmp_path / "site")

    assert done.returncode == 0, done.stderr
    pages = [path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert not [page for page in pages if "org/serverless-templates/blob" in page]
    if SOURCES[source]:
        assert [page for page in pages if f"{SOURCES[source]}/blob/main/templates/patterns/queue/pattern.yaml" in page]


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
