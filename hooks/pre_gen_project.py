"""Refuses answers that break their rules, all at once, before cookiecutter writes any file of the project."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

# `make build` puts the rules here, and cookiecutter the answers: JSON in raw strings, so they are data and never code.
RULES: list[dict[str, str]] = json.loads(r"""<<rules>>""")
ANSWERS: dict[str, object] = json.loads(r"""{{ cookiecutter|tojson }}""")
# What of the template's address is a secret: see `generator/git.py`.
SECRETS: list[tuple[str, str]] = json.loads(r"""<<secrets>>""")
# Each default as it follows from the answers before it.
DEFAULTS: dict[str, str] = json.loads(r"""<<defaults>>""")
# The answers as they were given: above, cookiecutter has evaluated them as a template. Not every tool
# that is built on cookiecutter passes them on.
GIVEN: dict[str, object] = json.loads(r"""{{ _cookiecutter|default({})|tojson }}""")

SHOWN = 60


def answer(rule: dict[str, str]) -> object:
    """The answer to judge: the one to be used, or the one given where cookiecutter has made another of it."""
    given = GIVEN.get(rule["name"])
    if isinstance(given, str) and given != rule["default"] and re.search(r"{[%#{]|\r", given):
        return given
    return ANSWERS[rule["name"]]


def refusal(rule: dict[str, str], value: object) -> str:
    """Why `value` is refused, in the words that every way in uses; empty when it is not."""
    if isinstance(value, str) and re.fullmatch(rule["matches"], value):
        return ""
    shown = value if not isinstance(value, str) or len(value) <= SHOWN else value[: SHOWN - 3] + "..."
    return f"{rule['name']}: {shown!r} is refused. It must be {rule['reason']}. Example: {rule['example']}"


def again(refused: list[str]) -> str:
    """The command that keeps the good answers and asks for the others; what follows from answers is left to follow."""
    template = str(ANSWERS["_template"])
    for secret, kept in SECRETS:  # a pipeline's log would show it
        template = re.sub(secret, kept, template)
    good = {
        name: str(ANSWERS[name])
        for name, default in DEFAULTS.items()
        if name not in refused and ANSWERS[name] != default
    }
    directory = f"built/{ANSWERS['__pattern']}"
    # Cookiecutter's menu names the pattern's own folder as the template.
    options = [] if Path(template).as_posix().endswith(directory) else ["--directory", directory]
    if checkout := ANSWERS.get("_checkout"):
        options += ["--checkout", str(checkout)]
    output = Path.cwd().parent
    if output != Path(os.environ.get("PWD", "")).resolve():  # the shell's own folder: here, it is the project's
        options += ["--output-dir", str(output)]
    if "_commit" in ANSWERS:  # set by cruft
        context = json.dumps(good, ensure_ascii=False)
        return shlex.join(["cruft", "create", template, *options, *(["--extra-context", context] if good else [])])
    return shlex.join(["cookiecutter", *options, template, *(f"{name}={value}" for name, value in good.items())])


reasons: dict[str, str] = {}
for rule in RULES:
    name = rule["name"]
    # What follows from a refused answer is not wrong by itself.
    follows = ANSWERS[name] == DEFAULTS[name] and any(f"cookiecutter.{other}" in rule["default"] for other in reasons)
    if not follows and (reason := refusal(rule, answer(rule))):
        reasons[name] = reason
if reasons:
    lines = "".join(f"  {reason}\n" for reason in reasons.values())
    sys.exit(
        f"\nNothing was written. Not every answer follows its rule:\n\n{lines}\n"
        f"This asks again, and keeps the other answers:\n\n  {again(list(reasons))}\n\n"
        "Below, cookiecutter reports that this check has stopped it.\n"
    )
