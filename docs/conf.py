"""How Sphinx makes a site of this folder: `make site`. Pages are Markdown, as they are read on GitHub too."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
# Files of the repository that are pages of the site, where they have another address.
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
CONTENTS = """
```{toctree}
:hidden:
:glob:

getting-started
tutorials/*
patterns/README
questions
updates
company
local-aws
benchmarks
proofs
```

```{toctree}
:hidden:
:caption: For maintainers

evolution
design
decisions
traceability
contributing
changelog
```
"""
CHOOSER = Path(__file__).parent / "patterns/README.md"


def pages_of(source: str) -> str:
    """The web address of a repository, for any address that git or copier takes; empty when it has none.

    `git@host:path` and `ssh://…` are taken for a server that shows at `https://host/path` what it keeps.
    """
    address = source.removeprefix("git+").removesuffix("/").removesuffix(".git")
    for short, host in {"gh:": "github.com", "gl:": "gitlab.com"}.items():
        if address.startswith(short):
            return f"https://{host}/{address.removeprefix(short).lstrip('/')}"
    if scp := re.fullmatch(r"(?:[^@/:]+@)?([\w.-]+\.[\w-]+):(?!//)/?(.+)", address):
        return f"https://{scp[1]}/{scp[2]}"
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.scheme in ("ssh", "git") and parts.hostname:
        return f"https://{parts.hostname}{parts.path}"
    return ""


# Where the sources are published, as the catalogue has it.
REPOSITORY = pages_of(yaml.safe_load((ROOT / "templates/catalogue.yaml").read_text("utf-8"))["source"])
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>(?!\w+:)[^)#]+)(?P<anchor>#[^)]*)?\)")

project = "serverless-templates"
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = [
    "README.md",
    "tools",
]  # the list of pages on GitHub; here the menu is that, and index.md the first page
html_static_path = ["static", str(ROOT / ".venv-site/mermaid")]
html_css_files = ["site.css"]
html_theme = "furo"
html_title = project
html_theme_options = {"top_of_page_buttons": []}  # most pages are made from templates/, so editing them here is in vain
html_show_copyright = False
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # examples are shortened with …, which is no JSON


class Picture(Directive):
    """A picture, which pictures.js draws in the reader's browser.

    Its source is in a script element of a type that no browser runs: what Sphinx's search shows of a page leaves
    scripts out. sphinxcontrib-mermaid loads a module, which browsers refuse to a page that is opened from a disk.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The picture's source and the frame it is drawn in, as HTML."""
        source = "\n".join(self.content).replace("</script", "<\\/script")
        html = (
            f'<div class="picture"><script type="text/plain">{source}</script><div class="picture-drawn"></div></div>'
        )
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> None:
    """Have each page read with what only the site needs."""
    app.add_directive("mermaid", Picture)
    app.connect("source-read", _prepare)
    app.connect("html-page-context", _add_scripts)


def _add_scripts(
    app: Sphinx, _page: str, _template: str, _context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Load what draws pictures where there are any: it is large."""
    if tree and any('class="picture"' in raw.astext() for raw in tree.findall(nodes.raw)):
        app.add_js_file("mermaid.tiny.js", loading_method="defer")
        app.add_js_file("pictures.js", loading_method="defer", priority=900)


def _prepare(_: Sphinx, page: str, source: list[str]) -> None:
    """Add the menu, and point links that leave docs/ to the repository.

    Raises:
        FileNotFoundError: such a link leads nowhere.
    """
    folder = (ROOT / "docs" / page).parent
    for file, copy in PAGES.items():
        if f"{page}.md" == copy:
            source[0] = (ROOT / file).read_text("utf-8")
            folder = ROOT
    if page == "index":
        source[0] += _chooser() + CONTENTS
    if page == "patterns/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    source[0] = LINK.sub(lambda link: _on_site(link, folder, page), source[0])


def _chooser() -> str:
    """The page that leads from a problem to a pattern, as a part of the first page."""
    text = CHOOSER.read_text("utf-8").replace("\n## ", "\n### ").replace("# ", "\n## ", 1)
    return re.sub(r"\]\((?!\w+:|#)(\.\./)?", lambda link: "](" if link[1] else "](patterns/", text)


def _on_site(link: re.Match[str], folder: Path, page: str) -> str:
    """A link of a page, whose file is in `folder`, as the site needs it: to another page or to the repository."""
    target = (folder / link["path"]).resolve()
    path = target.relative_to(ROOT).as_posix()
    if path in PAGES or target.is_relative_to(ROOT / "docs"):
        there = os.path.relpath(ROOT / "docs" / PAGES.get(path, target), (ROOT / "docs" / page).parent)
        return f"[{link['text']}]({Path(there).as_posix()}{link['anchor'] or ''})"
    if not target.exists():
        message = f"The page {page} links to {path}, which is not there."
        raise FileNotFoundError(message)
    if not REPOSITORY:  # a path on somebody's disk: there is nothing to lead to
        return link["text"]
    return f"[{link['text']}]({REPOSITORY}/blob/main/{path}{link['anchor'] or ''})"
