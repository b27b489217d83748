"""What a shell offers for the words of a command: patterns, questions and their choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import BashComplete, CompletionItem

if TYPE_CHECKING:
    from .catalogue import Catalogue


def patterns(catalogue: Catalogue, incomplete: str) -> list[CompletionItem]:
    """The patterns whose names begin with `incomplete`."""
    found = catalogue.patterns.values()
    return [CompletionItem(each.name, help=each.title) for each in found if each.name.startswith(incomplete)]


def data(catalogue: Catalogue, pattern: str, incomplete: str) -> list[CompletionItem]:
    """Names of the questions of `pattern`, and behind NAME= the choices of that question."""
    questions = catalogue.questions_of(pattern) if pattern in catalogue.patterns else ()
    offered = [
        CompletionItem(f"{question.name}={choice}", help=question.help)
        for question in questions
        for choice in (question.choices if incomplete.startswith(f"{question.name}=") else [""])
    ]
    return [item for item in offered if item.value.startswith(incomplete)]


class Bash(BashComplete):
    """Bash takes `=` for a word of its own (COMP_WORDBREAKS), and puts a space behind what it has completed."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n", "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n    return 0\n"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that word: NAME=ANSWER in one piece."""
        words, incomplete = super().get_completion_args()
        if incomplete == "=":
            return words[:-1], f"{words[-1]}="
        if words[-1:] == ["="]:
            return words[:-2], f"{words[-2]}={incomplete}"
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """What replaces the word: behind `=`, the answer alone."""
        name, equals, answer = item.value.partition("=")
        return f"{item.type},{answer or name + equals}"
