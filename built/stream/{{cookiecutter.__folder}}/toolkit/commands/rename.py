"""Replaces the example's noun by yours in all files of the project and in their names."""

import argparse
import builtins
import keyword
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

ANSWERS = Path(".copier-answers.yml")
# A noun's singular and plural.
Noun = tuple[str, str]
# What stays: the template's own files, pins, and what an update compares with.
KEPT = ("toolkit/", "requirements/", "src/requirements.txt", str(ANSWERS), ".cruft.json")
COMMENT = re.compile(r"(?<!\S)#.*")
# Nouns that take `an`, by their sound.
AN = re.compile(r"(?!uni|us[aeiu]|ut[ei]|eu|one)[aeiou]|hour|heir|hono")
# Between an article and its noun: a space, or the end of a line and a comment's start; then quotes.
GAP = r"(?:[ _-]|\n[ ]*(?:# )?)[`\"'*]*"


def main() -> None:
    """Entry point of `make rename FROM=<noun> TO=<noun>`."""
    parser = argparse.ArgumentParser(prog="python -m toolkit rename", description=__doc__)
    parser.add_argument("--from", dest="old", required=True, help="the noun in the singular")
    parser.add_argument("--to", dest="new", required=True, help="yours in the singular")
    parser.add_argument("--plural", default="", help="your noun's plural, when it is irregular")
    parser.add_argument("--from-plural", default="", help="the old noun's plural, likewise")
    given = parser.parse_args()
    old = (given.old, given.from_plural or plural_of(given.old))
    new = (given.new, given.plural or plural_of(given.new))

    files, names = read(), answers()
    if reason := refusal(old, new, files, names):
        sys.exit(f"{reason} Nothing was changed.")
    write(old, new, files, names)


def plural_of(singular: str) -> str:
    """The regular plural of an English noun."""
    if re.search("[^aeiou]y$", singular):
        return f"{singular[:-1]}ies"
    return f"{singular}es" if re.search("([sxz]|[cs]h)$", singular) else f"{singular}s"


def read() -> dict[str, str]:
    """The text of each file that git tracks here and that is renamed; empty for what is no text.

    Raises:
        SystemExit: git would not bring back what is overwritten.
    """
    status = subprocess.run(
        ["git", "status", "--porcelain", "--", "."],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if status.returncode != 0:
        sys.exit(f"git: {status.stderr.strip()}. Run `git init`, and commit the project first.")
    if status.stdout:
        sys.exit(f"There are changes that are not committed:\n{status.stdout}Commit or stash them.")
    paths = subprocess.check_output(["git", "ls-files", "-z"], encoding="utf-8").split("\0")
    return {path: text_of(Path(path)) for path in paths if path and not path.startswith(KEPT)}


def text_of(path: Path) -> str:
    """The text in a file, with its own line ends; empty for links and for what is not UTF-8."""
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return ""


def answers() -> list[str]:
    """What the project was asked, such as its name: updates need it where it is, so it stays."""
    given = yaml.safe_load(ANSWERS.read_text("utf-8")) if ANSWERS.exists() else {}
    texts = [str(text) for name, text in given.items() if not name.startswith("_")]
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return sorted({*texts, *quoted}, key=len, reverse=True)


def finder(noun: Noun, names: Iterable[str] = ()) -> re.Pattern[str]:
    """Matches a noun in every case style, with its article, and each of `names` without `word`."""
    singular, plural = noun
    one = f"(?:{plural}|{singular})"
    word = (
        rf"(?:(?<![A-Za-z])|(?<=\\[nt])){one}(?![a-z])"
        rf"|(?<![A-Z]){one.title()}(?![a-z])"
        rf"|(?<![A-Za-z]){one.upper()}(?![A-Za-z])"
    )
    named = [re.escape(name) for name in names if re.search(word, name)]
    skipped = "|".join(named) or "(?!)"
    article = rf"(?:(?<![A-Za-z])(?P<article>[Aa])n?(?P<gap>{GAP}))?"
    return re.compile(rf"(?:{skipped})|{article}(?!{skipped})(?P<word>{word})")


def uses(noun: Noun, files: dict[str, str], names: list[str]) -> list[tuple[str, str]]:
    """Each occurrence of a noun: where, and in lowercase."""
    found, in_python = finder(noun, names), finder(noun)
    occurrences = []
    for path, text in files.items():
        # Python files do not hold answers.
        for match in (in_python if path.endswith(".py") else found).finditer(text):
            if match["word"]:
                line = text.count("\n", 0, match.end()) + 1
                occurrences.append((f"{path}:{line}", match["word"].lower()))
        occurrences += [(path, match["word"].lower()) for match in in_python.finditer(path)]
    return occurrences


def refusal(old: Noun, new: Noun, files: dict[str, str], names: list[str]) -> str:
    """Why `old` cannot be replaced by `new`, and what to do; empty when it can."""
    for variable, noun in (("FROM", old), ("TO", new)):
        if not re.fullmatch("[a-z]{3,20}", noun[0]):
            return f"{variable}={noun[0]}: give one word of 3 to 20 lowercase letters."
        if not re.fullmatch("[a-z]{3,22}", noun[1]):
            return f"{variable}={noun[0]}, plural {noun[1]!r}: give it in lowercase letters."
    if old[0] == new[0]:
        return f"TO={new[0]}: this is the same word as FROM. Give another one."
    if new[0] == new[1]:
        return f"PLURAL={new[1]}: this is the singular, and names would collide. Give another one."
    for word in new:
        if reserved(word):
            return f"TO={new[0]}: {word} means something in Python or YAML. Give another word."
    # In prose, two nouns may be the same.
    code = {path: COMMENT.sub("", text) for path, text in files.items() if path[-3:] != ".md"}
    if used := uses(new, code, names):
        return f"TO={new[0]}: {used[0][0]} uses this word already. Give another one."
    in_use = {word for _, word in uses(old, files, names)}
    if missing := [word for word in old if word not in in_use]:
        return (
            f"FROM={old[0]}: the project does not use {missing[0]!r}. Give a noun that it uses, in "
            "the singular, and FROM_PLURAL=… when its plural is irregular."
        )
    if named := [name for name in names if finder(old).fullmatch(name)]:
        return (
            f"FROM={old[0]}: {ANSWERS} has {named[0]!r} as a name of the project, which stays; the "
            "two cannot be distinguished. Replace the noun by hand."
        )
    there = [target for path in files if (target := replace(old, new, path)) != path]
    if taken := [target for target in there if Path(target).exists()]:
        return f"TO={new[0]}: {taken[0]} exists, and git does not know it. Move it away."
    return ""


def reserved(word: str) -> bool:
    """Whether Python or YAML reads a word as something of their own."""
    python = keyword.iskeyword(word) or keyword.issoftkeyword(word)
    builtin = hasattr(builtins, word) or hasattr(builtins, word.title())
    return python or builtin or not isinstance(yaml.safe_load(word), str)


def replace(old: Noun, new: Noun, text: str, names: Iterable[str] = ()) -> str:
    """`text` with `new` in the place of `old`, in the same case style, with the right article."""

    def replaced(match: re.Match[str]) -> str:
        word = match["word"]
        if not word:
            return match[0]
        to = new[word.lower() != old[0]]
        to = to if word.islower() else to.upper() if word.isupper() else to.capitalize()
        if not match["article"]:
            return to
        return match["article"] + ("n" if AN.match(to.lower()) else "") + match["gap"] + to

    return finder(old, names).sub(replaced, text)


def write(old: Noun, new: Noun, files: dict[str, str], names: list[str]) -> None:
    """Replace `old` by `new` in texts and paths, then sort imports and format."""
    moved = {}
    for path, text in files.items():
        now = replace(old, new, text, () if path.endswith(".py") else names)
        if now != text:
            Path(path).write_bytes(now.encode())
        target = Path(replace(old, new, path))
        if target != Path(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            moved[path] = Path(path).rename(target)
    for folder in sorted({parent for path in moved for parent in Path(path).parents}, reverse=True):
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()
    for command in (("check", "--fix", "--exit-zero"), ("format",)):
        subprocess.check_call([sys.executable, "-m", "ruff", *command, "--quiet", "."])
    print(f"Done; {len(moved)} files have a new name. Run `make lint test`, then commit.")


if __name__ == "__main__":
    main()
