"""Tells what has changed since the last release for those who name patterns, questions and answers.

`python -m serverless_templates.compatibility` fails when that needs a new major version and the version is not one.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import __version__
from .answers import refusal
from .catalogue import Catalogue, Question, load
from .errors import BuildError
from .git import DESCRIBE, git

LONGEST_PROBE = 200
LAST_PROBED_CHARACTER = 0x2FFF  # from Latin to CJK's punctuation: every kind of character that a rule distinguishes


def broken(old: Catalogue, new: Catalogue) -> list[str]:
    """What worked with `old` and does not with `new`: one sentence each."""
    found: list[str] = []
    renamed = new.renamed_patterns()
    for name in old.patterns:
        now = renamed.get(name, name)
        if now not in new.patterns:
            found.append(f"The pattern {name} is gone. When it has another name, say so with `renamed_from`.")
            continue
        if now != name:
            found.append(f"The pattern {name} is called {now}: commands that create projects with the old name fail.")
        found += _broken_questions(old.questions_of(name), new.questions_of(now))
    found += [
        f"The pattern {was} is no longer `renamed_from` {name}: projects that remember this name cannot be updated."
        for name, was in old.renamed_patterns().items()
        if name not in renamed
    ]
    return list(dict.fromkeys(found))


def _broken_questions(old: tuple[Question, ...], new: tuple[Question, ...]) -> Iterator[str]:
    by_any_name = {name: question for question in new for name in (question.name, *question.renamed_from)}
    for question in old:
        now = by_any_name.get(question.name)
        if now is None:
            yield f"The question {question.name} is gone. When it has another name, say so with `renamed_from`."
            continue
        if now.name != question.name:
            yield f"The question {question.name} is called {now.name}: `--data {question.name}=…` is refused."
        for former in question.renamed_from:
            if by_any_name.get(former) is not now:
                yield f"The question {now.name} is no longer `renamed_from` {former}: projects lose that answer."
        if answer := next((probe for probe in _probes(question) if refusal(now, probe)), None):
            yield f"The question {now.name} no longer takes {answer!r}, which projects may have answered."


def _probes(question: Question) -> Iterator[str]:
    """Answers that `question` takes: its choices, or its example made longer, shorter and stranger.

    Two regular expressions cannot be compared by looking at them; these find what a narrower one usually refuses.
    """
    if question.choices:
        yield from question.choices
        return
    example = question.rule.example
    candidates = [question.default, example]
    candidates += [(example * LONGEST_PROBE)[:length] for length in range(LONGEST_PROBE)]
    candidates += [f"{example[:-1]}{chr(code)}{example[-1:]}" for code in range(LAST_PROBED_CHARACTER)]
    yield from (candidate for candidate in candidates if re.fullmatch(question.rule.matches, candidate))


def may_break(old: str, new: str) -> bool:
    """Whether version `new` may break what worked with `old`: a new major version may, and before 1 a new minor."""
    before, after = (tuple(map(int, version.split(".")[:2])) for version in (old, new))
    return after[:1] > before[:1] or (before[0] == 0 and after > before)


def catalogue_at(root: Path, tag: str) -> Catalogue:
    """The catalogue of the repository at `root` as it was at `tag`.

    Raises:
        BuildError: it cannot be read any more.
    """
    listed = git(root, "ls-tree", "-r", "--name-only", tag, "templates/catalogue.yaml", "templates/patterns") or ""
    with tempfile.TemporaryDirectory(prefix="serverless-templates-") as folder:
        for path in listed.splitlines():
            if path.endswith(("/catalogue.yaml", "/pattern.yaml")):
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(git(root, "show", f"{tag}:{path}") or "", encoding="utf-8")
        return load(Path(folder))


def main() -> int:
    """Compare with the last release: exit code 1 when something broke that this version may not break."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path.cwd(), help="the folder that holds templates/ (default: here)"
    )
    parser.add_argument("--version", default=__version__, help="the version to be released (default: %(default)s)")
    arguments = parser.parse_args()
    root: Path = arguments.root
    tag = git(root, *DESCRIBE, "--abbrev=0")
    if tag is None:
        if git(root, "rev-parse", "--is-shallow-repository") == "true":
            sys.stderr.write(
                "error: this clone is shallow and does not contain the last release: `git fetch --unshallow --tags`\n"
            )
            return 1
        sys.stdout.write("No release to compare with: no tag v… leads to this commit. Nothing was compared.\n")
        return 0
    try:
        found = broken(catalogue_at(root, tag), load(root))
    except BuildError as error:
        sys.stderr.write(f"error: cannot compare with {tag}: {error}\n")
        return 1
    allowed = may_break(tag.removeprefix("v"), arguments.version)
    for sentence in found:
        sys.stderr.write(f"{sentence}\n")
    if found and not allowed:
        sys.stderr.write(
            f"Since {tag}, this asks for a new major version, and this is {arguments.version}: see docs/evolution.md.\n"
        )
        return 1
    sys.stdout.write(f"Compared with {tag}: {len(found)} incompatible changes, which {arguments.version} may have.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
