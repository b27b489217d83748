"""How Sphinx makes a site of this folder: `make site`. Pages are Markdown, as they are read on GitHub too."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
CONTENTS = """
```{toctree}
:hidden:

getting-started
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
{more}
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
LINK_OUT = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>(?:\.\./)+[^)#]+)(?P<anchor>#[^)]*)?\)")

project = "serverless-templates"
extensions = ["myst_parser", "sphinx_copybutton", "sphinxcontrib.mermaid"]
exclude_patterns = ["README.md"]  # the list of pages on GitHub; here the menu is that, and index.md the first page
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme = "furo"
html_title = project
html_theme_options = {"top_of_page_buttons": []}  # most pages are made from templates/, so editing them here is in vain
html_show_copyright = False
myst_fence_as_directive = ["mermaid"]  # drawn in the reader's browser
mermaid_height = "auto"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # examples are shortened with …, which is no JSON


def setup(app: Sphinx) -> None:
    """Have each page read with what only the site needs."""
    # Pages that were written for another address are written anew.
    app.add_config_value("repository_address", REPOSITORY, "env")
    app.connect("source-read", _prepare)


def _prepare(_: Sphinx, page: str, source: list[str]) -> None:
    """Add the menu, and point links that leave docs/ to the repository.

    Raises:
        FileNotFoundError: such a link leads nowhere.
    """
    if page == "index":
        more = (("Contributing", "CONTRIBUTING.md"), ("Changelog", "CHANGELOG.md")) if REPOSITORY else ()
        links = "\n".join(f"{title} <{REPOSITORY}/blob/main/{path}>" for title, path in more)
        source[0] += _chooser() + CONTENTS.replace("{more}", links)
    if page == "patterns/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    folder = (ROOT / "docs" / page).parent
    source[0] = LINK_OUT.sub(lambda link: _to_repository(link, folder), source[0])


def _chooser() -> str:
    """The page that leads from a problem to a pattern, as a part of the first page."""
    text = CHOOSER.read_text("utf-8").replace("\n## ", "\n### ").replace("# ", "\n## ", 1)
    return re.sub(r"\]\((?!\w+:|#)(\.\./)?", lambda link: "](" if link[1] else "](patterns/", text)


def _to_repository(link: re.Match[str], folder: Path) -> str:
    target = (folder / link["path"]).resolve()
    if target.is_relative_to(ROOT / "docs"):
        return link[0]
    path = target.relative_to(ROOT).as_posix()
    if not target.exists():
        message = f"A page in {folder.relative_to(ROOT)} links to {path}, which is not there."
        raise FileNotFoundError(message)
    if not REPOSITORY:  # a path on somebody's disk: there is nothing to lead to
        return link["text"]
    return f"[{link['text']}]({REPOSITORY}/blob/main/{path}{link['anchor'] or ''})"
