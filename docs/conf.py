"""How Sphinx makes a site of this folder: `make site`. Pages are Markdown, as they are read on GitHub too."""

import re
from pathlib import Path

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
```
"""
# Where the sources are published, as the catalogue has it.
REPOSITORY = (
    yaml.safe_load((ROOT / "templates/catalogue.yaml").read_text("utf-8"))["source"]
    .replace("gh:", "https://github.com/")
    .removesuffix(".git")
)
LINK_OUT = re.compile(r"\]\((?P<path>(?:\.\./)+[^)#]+)(?P<anchor>#[^)]*)?\)")

project = "serverless-templates"
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
root_doc = "README"
exclude_patterns = ["conf.py"]
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
    app.connect("source-read", _prepare)


def _prepare(_: Sphinx, page: str, source: list[str]) -> None:
    """Add the menu, and point links that leave docs/ to the repository.

    Raises:
        FileNotFoundError: such a link leads nowhere.
    """
    if page == root_doc:
        source[0] += CONTENTS
    if page == "patterns/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
    folder = (ROOT / "docs" / page).parent
    source[0] = LINK_OUT.sub(lambda link: _to_repository(link, folder), source[0])


def _to_repository(link: re.Match[str], folder: Path) -> str:
    target = (folder / link["path"]).resolve()
    if target.is_relative_to(ROOT / "docs"):
        return link[0]
    path = target.relative_to(ROOT).as_posix()
    if not target.exists():
        message = f"A page in {folder.relative_to(ROOT)} links to {path}, which is not there."
        raise FileNotFoundError(message)
    return f"]({REPOSITORY}/blob/main/{path}{link['anchor'] or ''})"
