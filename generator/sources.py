"""Lays the common files, the parts and a pattern's own files over each other, and fills in the fragments."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from .catalogue import Pattern
from .errors import BuildError
from .escape import check_references, check_syntax, escape

# What tools leave behind when they are run on the sources.
LITTER = {"__pycache__", ".DS_Store", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
MARKER = re.compile(r"^([ \t]*)(?:#+|//|<!--)[ \t]*<<fragment ([^\s<>]+)>>[ \t]*(?:-->)?[ \t]*(?:\n|\Z)", re.MULTILINE)

PLACEHOLDER = re.compile(r"\{\{ ?cookiecutter\.(\w+) ?\}\}")
LONGEST_ANSWER = 30  # in a path; the project's short name may have as many characters
LONGEST_PATH = 150  # from the project's own folder on; Windows allows 260 in all
REFUSED_BY_WINDOWS = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)', re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """A file to be written: its bytes, whether it is a program, and whether the engines must leave its bytes alone."""

    content: bytes
    executable: bool = False
    binary: bool = False


def compose(root: Path, pattern: Pattern, known: Collection[str]) -> dict[str, File]:
    """The template of a project of `pattern`: each path in it, and the file there.

    `known` are the names that may follow `cookiecutter.` in the sources.

    Raises:
        BuildError: two layers hold the same path, a fragment is not used, or a file breaks a rule.
    """
    layers = layers_of(root, pattern)
    fragments = _Fragments(layers, known)
    files = {
        path: _template(source, fragments, known)
        for path, source in _overlay([layer / "files" for layer in layers], known).items()
    }
    fragments.check_all_used()
    return files


def layers_of(root: Path, pattern: Pattern) -> list[Path]:
    """The folders that make up a pattern's projects: `common`, its parts, and its own.

    Raises:
        BuildError: there is no part of that name.
    """
    parts = [root / "templates/parts" / part for part in pattern.parts]
    for part in parts:
        if not part.is_dir():
            raise BuildError(
                f"{root}/templates/patterns/{pattern.name}/pattern.yaml: there is no part {part.name}. Fix `parts`."
            )
    return [root / "templates/common", *parts, root / "templates/patterns" / pattern.name]


def toolkit_tests(root: Path, pattern: Pattern) -> dict[str, Path]:
    """The tests of a pattern's toolkit, which stay in this repository: path below `toolkit_tests/`, and file."""
    return {
        path.relative_to(layer / "toolkit_tests").as_posix(): path
        for layer in layers_of(root, pattern)
        for path in _walk(layer / "toolkit_tests")
    }


def _overlay(layers: list[Path], known: Collection[str]) -> dict[str, Path]:
    """Each path in the project, and the one source file for it."""
    sources: dict[str, Path] = {}
    folded: dict[str, Path] = {}
    for layer in layers:
        for source in _walk(layer):
            path = source.relative_to(layer).as_posix()
            check_path(path, known, source)
            # For Windows and macOS, README.md and readme.md are the same file.
            if (other := folded.setdefault(path.casefold(), source)) != source:
                raise BuildError(
                    f"{other} and {source} are the same path. A layer adds, it does not replace: rename one."
                )
            sources[path] = source
    return dict(sorted(sources.items()))


def _walk(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LITTER)
        for name in sorted(names):
            path = Path(top, name)
            if name in LITTER or name.endswith(".pyc"):
                continue
            if path.is_symlink():
                raise BuildError(f"{path}: a symbolic link, which Windows and a zip do not keep. Put a file there.")
            yield path
        if links := [name for name in folders if Path(top, name).is_symlink()]:
            raise BuildError(
                f"{top}/{links[0]}: a symbolic link, which Windows and a zip do not keep. Put a folder there."
            )


def check_path(path: str, known: Collection[str], source: object) -> None:
    """See that `path` can be a file of a project on every system.

    Raises:
        BuildError: Windows refuses a name in it, it is too long, or it asks for an unknown answer.
    """
    check_references(path, known, str(source))
    rendered = PLACEHOLDER.sub("x" * LONGEST_ANSWER, path)
    for name in rendered.split("/"):
        if REFUSED_BY_WINDOWS.search(name):
            raise BuildError(f"{source}: Windows refuses the name {name!r}. Rename it.")
        if "{{" in name or "{%" in name or "{#" in name:
            raise BuildError(f"{source}: in a name, only {{{{cookiecutter.…}}}} may stand between braces. Rename it.")
    if (length := LONGEST_ANSWER + 1 + len(rendered)) > LONGEST_PATH:
        raise BuildError(
            f"{source}: its path can become {length} characters long, and {LONGEST_PATH} is the most. Shorten it."
        )


class _Fragments:
    """The fragments of a pattern's layers, and which of them some file asked for."""

    def __init__(self, layers: list[Path], known: Collection[str]) -> None:
        self._by_name: dict[str, list[Path]] = {}
        self._asked: set[str] = set()
        self._known = known
        for layer in layers:
            for path in _walk(layer / "fragments"):
                self._by_name.setdefault(path.relative_to(layer / "fragments").as_posix(), []).append(path)

    def fill(self, text: str) -> str:
        """`text` with each marker's line replaced by the fragments of that name, indented as the marker is."""
        return MARKER.sub(lambda marker: "".join(self._read(path, marker[1]) for path in self._ask(marker[2])), text)

    def check_all_used(self) -> None:
        for name in sorted(self._by_name.keys() - self._asked):
            raise BuildError(
                f"{self._by_name[name][0]}: nothing asks for it. Put `# <<fragment {name}>>` in a file, or remove it."
            )

    def _ask(self, name: str) -> list[Path]:
        self._asked.add(name)
        return self._by_name.get(name, [])

    def _read(self, path: Path, indentation: str) -> str:
        text = _text(path)
        if text is None:
            raise BuildError(f"{path}: a fragment is text. Make it a file instead.")
        if MARKER.search(text):
            raise BuildError(f"{path}: a fragment cannot ask for another one. Ask for both in the file.")
        check_references(text, self._known, str(path))
        return "".join(f"{indentation}{line}\n" if line.strip() else "\n" for line in text.splitlines())


def _template(source: Path, fragments: _Fragments, known: Collection[str]) -> File:
    executable = os.access(source, os.X_OK)
    text = _text(source)
    if text is None:
        return File(source.read_bytes(), executable, binary=True)
    check_references(text, known, str(source))
    template = escape(fragments.fill(text))
    check_syntax(template, str(source))
    return File(template.encode(), executable)


def _text(path: Path) -> str | None:
    """The text in a file, with LF at the end of each line; None for a binary file."""
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        raise BuildError(
            f"{path}: text with a zero byte, which one engine copies and the other renders. Remove the byte."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
