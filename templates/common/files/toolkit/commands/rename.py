"""Replaces the example's word by yours in the whole project: `make rename FROM=order TO=booking`."""

import argparse
import builtins
import keyword
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
# These stay as they are: what the template keeps up, pins, and what an update starts from.
KEPT = ("toolkit/", "requirements/", "src/requirements.txt", ".copier-answers.yml", ".cruft.json")
# Words that are spoken with a vowel first, so that `an` stands before them.
AN = re.compile(r"(?!uni|us[aeiu]|ut[ei]|eu|one)[aeiou]|hour|heir|hono")
# What may stand between an article and its word: a space, or the end of a line; then quotes.
GAP = r"""(?:[ _-]|\n[ ]*(?:# )?)[`"'*]*"""


def main() -> None:
    """Entry point of `make rename FROM=order TO=booking`."""
    parser = argparse.ArgumentParser(prog="make rename", description=__doc__)
    parser.add_argument("old", help="the word that the project has, in the singular")
    parser.add_argument("new", help="the word to replace it by, in the singular")
    parser.add_argument("--plural", help="the plural of the new word where it is irregular")
    arguments = parser.parse_args()
    rename(arguments.old, arguments.new, arguments.plural or plural_of(arguments.new))


def plural_of(word: str) -> str:
    """The regular plural of an English noun."""
    if re.search("[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search("([sxz]|[cs]h)$", word) else f"{word}s"


def occurrences(singular: str, plural: str) -> re.Pattern[str]:
    """Matches a word in every case style, with the article before it; parts of other words are none."""
    one = f"(?:{plural}|{singular})"
    return re.compile(
        rf"(?:(?<![A-Za-z])(?P<article>[Aa])[Nn]?(?P<gap>{GAP}))?"
        rf"(?P<word>(?:(?<![A-Za-z])|(?<=\\[nt])){one}(?![a-z])"
        rf"|(?<![A-Z]){one.title()}(?![a-z])"
        rf"|(?<![A-Za-z]){one.upper()}(?![A-Za-z]))"
    )


def rename(old: str, new: str, plural: str) -> None:
    """Replace `old` in texts and in the names of files, and format what came of it.

    Raises:
        SystemExit: it cannot be done; nothing was written.
    """
    files = [path for path in listed() if not path.startswith(KEPT)]
    found = occurrences(old, plural_of(old))

    def replaced(match: re.Match[str]) -> str:
        word = plural if match["word"].lower() != old else new
        if match["word"].isupper():
            word = word.upper()
        elif match["word"][0].isupper():
            word = word.capitalize()
        if not match["article"]:
            return word
        n = "N" if word.isupper() else "n"
        return match["article"] + (n if AN.match(word.lower()) else "") + match["gap"] + word

    for path in files:
        try:
            text = Path(path).read_bytes().decode()
        except UnicodeDecodeError:
            continue
        Path(path).write_bytes(found.sub(replaced, text).encode())
        target = Path(found.sub(replaced, path))
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(path).rename(target)
    for arguments in (("check", "--fix", "--exit-zero", "--quiet"), ("format", "--quiet")):
        subprocess.check_call([sys.executable, "-m", "ruff", *arguments, "."])


def listed():
    return [p for p in subprocess.check_output(["git", "ls-files", "-z"], encoding="utf-8").split("\0") if p]

if __name__ == "__main__":
    main()
