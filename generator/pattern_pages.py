"""Writes the pages about patterns: what each is for from its `pattern.yaml`, the rest from a project made of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from .answers import defaults
from .catalogue import Catalogue, Pattern, Threat
from .chooser import MADE, link, table
from .errors import BuildError
from .sources import File, toolkit_tests

FOLDER = "docs/patterns"


def pattern_page(root: Path, catalogue: Catalogue, pattern: Pattern, files: Mapping[str, File]) -> str:
    """A pattern's page, as Markdown. `files` are those of its template; a section without content is left out."""
    project = _Project(catalogue, pattern, files, toolkit_tests(root, pattern))
    return _page(
        MADE,
        f"# {pattern.title}",
        pattern.summary,
        f"```bash\nserverless-templates new {pattern.name} ./my-service\n```",
        _section("When to take it", _list(pattern.use_when)),
        _section(
            "When not", _list(f"{other.problem}: take {link(other.instead, catalogue)}" for other in pattern.not_for)
        ),
        _section("What it is and what it promises", project.introduction()),
        _section("What is generated", table(("path", "what it does"), project.modules())),
        _section("What it costs", _list(pattern.cost_drivers), project.costs()),
        _section("How it is operated", table(("alarm", "what it means"), project.alarms())),
        _section(
            "Who could do what",
            table(
                ("threat", "stopped by", "shown by"),
                [(each.threat, each.stopped_by, project.test(each)) for each in (*pattern.threats, *catalogue.threats)],
            ),
        ),
        _section("Why it is like this", _list(project.decisions())),
        _section(
            "What it asks",
            table(
                ("name", "what"), [(f"`{each.name}`", f"{each.help}: {each.rule.reason}") for each in pattern.questions]
            ),
        ),
    )


def cost_per_million(catalogue: Catalogue, pattern: Pattern, files: Mapping[str, File]) -> str:
    """What a million calls cost in all, in USD, as the project's page on operations says; empty when it does not."""
    said = re.search(r"\*\*in all\*\* \| +\| \*\*([^*]+)\*\*", _Project(catalogue, pattern, files, {}).costs())
    return said[1] if said else ""


class _Project:
    """The files of a project that was made with the defaults."""

    def __init__(
        self, catalogue: Catalogue, pattern: Pattern, files: Mapping[str, File], tests: Mapping[str, Path]
    ) -> None:
        self._tests = tests
        self._jinja = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
        self._files = files
        self._answers = defaults(catalogue.questions_of(pattern.name), {})
        self._answers |= {"__pattern": pattern.name, "__pattern_title": pattern.title}
        for name, text in catalogue.computed.items():
            self._answers[f"__{name}"] = self._render(text)

    def introduction(self) -> str:
        """What the README says before it comes to commands, the description aside."""
        return self._between("README.md", r"# [^\n]*\n+[^\n]*", "## Run it")

    def costs(self) -> str:
        """The arithmetic."""
        return self._between("docs/operations.md", "## What it costs", "## ")

    def modules(self) -> list[tuple[str, str]]:
        """Each module with something in it, and the first line of its docstring."""
        found = []
        for path, file in self._files.items():
            if path.startswith("src/service/") and path.endswith(".py") and not path.endswith("__init__.py"):
                docstring = ast.get_docstring(ast.parse(self._render(file.content.decode()))) or ""
                found.append((f"`{path}`", docstring.partition("\n")[0]))
        return found

    def alarms(self) -> list[tuple[str, str]]:
        """Each alarm, and the first sentence of its page in the runbook."""
        pages = re.findall(r"(?ms)^## (…?\w+Alarm)$\s+(.+?\.)\s", self._text("docs/runbook.md"))
        return [(f"`{name}`", " ".join(sentence.split())) for name, sentence in pages]

    def test(self, threat: Threat) -> str:
        """What the test says that shows what stops a threat, and where it is.

        Raises:
            BuildError: there is no such test.
        """
        path, _, name = threat.shown_by.partition("::")
        test = self._tests.get(path.removeprefix("toolkit_tests/"))
        if f"def {name}(" not in (test.read_text("utf-8") if test else self._text(path)):
            raise BuildError(
                f"{self._answers['__pattern']}: no project of it has the test {threat.shown_by}, which is to show "
                f"what stops the threat {threat.threat!r}. Name one that it has."
            )
        return f"{name.removeprefix('test_').replace('_', ' ')}: `{path}`"

    def decisions(self) -> list[str]:
        """The decisions of this pattern alone, as its index names them."""
        index = re.findall(r"(?m)^\| \[(\d+)\]\([^)]+\) \| (.+?) \|", self._text("docs/adr/README.md"))
        return [f"ADR {int(number)}: {title}" for number, title in index if int(number) > 3]  # noqa: PLR2004 - common ones

    def _between(self, path: str, start: str, end: str) -> str:
        """The text of a file from the line after `start` to the line that begins with `end`."""
        found = re.search(rf"(?ms)^{start}$(.*?)(?=^{end}|\Z)", self._text(path))
        # A link in a project leads to a file of the project, which the documentation does not have.
        return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", found[1]).strip() if found else ""

    def _text(self, path: str) -> str:
        return self._render(self._files[path].content.decode()) if path in self._files else ""

    def _render(self, template: str) -> str:
        return self._jinja.from_string(template).render(cookiecutter=self._answers)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _section(title: str, *paragraphs: str) -> str:
    """A heading and what stands under it; nothing when nothing does."""
    text = _page(*paragraphs)
    return f"## {title}\n\n{text}" if text.strip() else ""


def _page(*sections: str) -> str:
    return "\n\n".join(section.strip() for section in sections if section.strip()) + "\n"
