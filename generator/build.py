"""Writes `built/`, both engines' menus and the pages about patterns and questions from `templates/` and `hooks/`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from jinja2 import TemplateError

from . import engines
from .answers import default, refusal
from .catalogue import Catalogue, Question, load
from .chooser import choosing_page
from .errors import BuildError
from .escape import check_references, check_syntax
from .pattern_pages import FOLDER as PAGES
from .pattern_pages import cost_per_million, pattern_page
from .questions_page import questions_page
from .sources import File, compose

FILES = ("cookiecutter.json", "copier.yml", "docs/questions.md")
FOLDER = "built"
FOLDERS = (FOLDER, PAGES)
README = """\
# Made by `make build`

This is what the engines read, one folder per pattern. Do not edit it: the next build overwrites it. Edit `templates/`
and `hooks/` instead.
"""
# What git puts around both sides. Between them it puts `=======`, which may also stand below a heading.
CONFLICT = re.compile(rb"(?:<{7}|>{7}|\|{7})(?: |$)")
HOOKS = ("pre_gen_project.py", "post_gen_project.py")


def build(root: Path) -> dict[str, File]:
    """Everything the sources at `root` produce: each path below `root`, and the file there. Writes nothing.

    Raises:
        BuildError: a source breaks a rule.
    """
    _check_no_conflicts(root)
    catalogue = load(root)
    outputs = {
        path: File(text.encode())
        for path, text in zip(
            FILES,
            (engines.cookiecutter_menu(catalogue), engines.copier_yml(catalogue), questions_page(catalogue)),
            strict=True,
        )
    }
    outputs[f"{FOLDER}/README.md"] = File(README.encode())
    costs: dict[str, str] = {}
    for name, pattern in catalogue.patterns.items():
        _check_answers(catalogue, name)
        files = compose(root, pattern, engines.known_names(catalogue, name))
        top = f"{FOLDER}/{name}"
        outputs[f"{top}/cookiecutter.json"] = File(engines.cookiecutter_json(catalogue, name, files).encode())
        for hook in HOOKS:
            source = root / "hooks" / hook
            text = engines.hook(source.read_text("utf-8"), catalogue, name, files)
            check_syntax(text, str(source))
            outputs[f"{top}/hooks/{hook}"] = File(text.encode())
        answers_file = engines.answers_file(catalogue.questions_of(name))
        outputs[f"{top}/{engines.TOP}/{{{{cookiecutter.__answers_file}}}}"] = File(answers_file.encode())
        outputs |= {f"{top}/{engines.TOP}/{path}": file for path, file in files.items()}
        outputs[f"{PAGES}/{name}.md"] = File(pattern_page(root, catalogue, pattern, files).encode())
        costs[name] = cost_per_million(catalogue, pattern, files)
    outputs[f"{PAGES}/README.md"] = File(choosing_page(catalogue, costs).encode())
    return outputs


def drift(root: Path, outputs: Mapping[str, File]) -> list[str]:
    """The paths below `root` that are not what `outputs` says: missing, changed, or no longer produced."""
    there = {path for path in FILES if (root / path).is_file()}
    there |= {
        path.relative_to(root).as_posix() for top in FOLDERS for path in (root / top).rglob("*") if path.is_file()
    }
    return sorted(
        path for path in there | outputs.keys() if path not in outputs or not _is_written(root / path, outputs[path])
    )


def write(root: Path, outputs: Mapping[str, File]) -> list[str]:
    """Make the files below `root` what `outputs` says, touching no other; returns the paths that it changed."""
    changed = drift(root, outputs)
    for path in changed:
        target = root / path
        if path in outputs:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(outputs[path].content)
            target.chmod(0o755 if outputs[path].executable else 0o644)
        else:
            target.unlink()
            _remove_empty_folders(target.parent, root)
    return changed


def _check_no_conflicts(root: Path) -> None:
    """See that no merge is left unfinished: every project would get its marks."""
    folders = [path for name in ("templates", "hooks", "docs") for path in (root / name).rglob("*")]
    for path in sorted([*folders, *root.glob("*.md")]):
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if CONFLICT.match(line):
                raise BuildError(f"{path}:{number}: a merge conflict is left. Solve it, and remove the marks.")


def _check_answers(catalogue: Catalogue, pattern: str) -> None:
    """See that the defaults and computed values of a pattern work, and follow the rules."""
    answers: dict[str, str] = {}
    for question in catalogue.questions_of(pattern):
        where = f"{pattern}: the default of {question.name}"
        check_references(question.default, answers.keys(), where)
        answers[question.name] = _default(question, answers, where)
        if reason := refusal(question, answers[question.name]):
            raise BuildError(f"{where} breaks the question's own rule. {reason}")
    known = [*answers, *engines.PROVIDED]
    for name, template in catalogue.computed.items():
        check_references(template, known, f"templates/catalogue.yaml: computed: {name}")
        known.append(f"__{name}")


def _default(question: Question, answers: Mapping[str, str], where: str) -> str:
    try:
        return default(question, answers)
    except TemplateError as error:
        raise BuildError(
            f"{where} cannot be rendered: {error}. Use Jinja's own filters and earlier answers only."
        ) from error


def _is_written(path: Path, file: File) -> bool:
    if not path.is_file() or path.read_bytes() != file.content:
        return False
    return os.name == "nt" or os.access(path, os.X_OK) == file.executable


def _remove_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def main() -> int:
    """Build, or with `--check` list what differs. Exit code 1 on a difference or an error in the sources."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is not up to date")
    parser.add_argument(
        "--root", type=Path, default=Path.cwd(), help="the folder that holds templates/ (default: here)"
    )
    arguments = parser.parse_args()
    root: Path = arguments.root
    try:
        outputs = build(root)
    except BuildError as error:
        sys.stderr.write(f"error: {str(error).replace(f'{root}/', '')}\n")
        return 1
    if not arguments.check:
        changed = write(root, outputs)
        sys.stdout.write(f"{len(outputs)} files built, {len(changed)} changed\n")
        return 0
    stale = drift(root, outputs)
    for path in stale:
        sys.stderr.write(f"not up to date: {path}\n")
    if stale:
        sys.stderr.write("Run `make build` and commit what it changes.\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
