"""Refuses answers that break their rules, all at once, before cookiecutter writes any file of the project."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

# `make build` puts the rules here, and cookiecutter the answers: JSON in raw strings, so they are data and never code.
RULES: list[dict[str, str]] = json.loads(r"""[
  {
    "name": "project_name",
    "default": "Visit Counts",
    "matches": "(?!.*(?:\\{\\{|\\\u007b%|\\\u007b#))[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff\\ufffe\\uffff](?:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff]{0,58}[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff])?",
    "reason": "1 to 60 characters on one line, without a space at either end, and without \u007b{, \u007b% and \u007b#",
    "example": "Order Intake"
  },
  {
    "name": "project_slug",
    "default": "\u007b% set words %}\u007b% for c in cookiecutter.project_name|lower %}\u007b{ c if c in \"abcdefghijklmnopqrstuvwxyz0123456789\" else \" \" }}\u007b% endfor %}\u007b% endset %}\u007b{ (words.split()|join(\"-\"))[:30].strip(\"-\") }}",
    "matches": "(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)(?=.{3,30}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
    "reason": "3 to 30 lowercase letters, digits and single hyphens, starting with a letter, and no device name of Windows such as con",
    "example": "order-intake"
  },
  {
    "name": "description",
    "default": "Counts visits by site and hour, each exactly once",
    "matches": "(?!.*(?:\\{\\{|\\\u007b%|\\\u007b#))[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff\\ufffe\\uffff](?:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff]{0,118}[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff])?",
    "reason": "1 to 120 characters on one line, without a space at either end, and without \u007b{, \u007b% and \u007b#",
    "example": "Takes care of orders, each of them exactly once"
  },
  {
    "name": "owner",
    "default": "@my-org/my-team",
    "matches": "@[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}(?:/[A-Za-z0-9](?:[-_]?[A-Za-z0-9]){0,99})?",
    "reason": "a GitHub user (@user) or team (@organisation/team), as in a CODEOWNERS file",
    "example": "@my-org/my-team"
  },
  {
    "name": "repository",
    "default": "\u007b{ cookiecutter.owner.strip(\"@\").split(\"/\")[0] }}/\u007b{ cookiecutter.project_slug }}",
    "matches": "[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/(?!\\.\\.?$)[A-Za-z0-9._-]{1,100}",
    "reason": "owner/name of a GitHub repository",
    "example": "my-org/order-intake"
  },
  {
    "name": "aws_region",
    "default": "eu-west-1",
    "matches": "(?:af-south|ap-(?:east|northeast|south|southeast)|ca-(?:central|west)|eu-(?:central|north|south|west)|il-central|me-(?:central|south|west)|mx-central|sa-(?:east|west)|us-(?:east|west))-[1-9]",
    "reason": "the code of an AWS region, and not one of China, GovCloud or the isolated and sovereign partitions",
    "example": "eu-west-1"
  },
  {
    "name": "python_version",
    "default": "3.14",
    "matches": "3\\.11|3\\.12|3\\.13|3\\.14",
    "reason": "one of 3.11, 3.12, 3.13, 3.14",
    "example": "3.14"
  },
  {
    "name": "alarm_email",
    "default": "",
    "matches": "(?:[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,24})?",
    "reason": "one mail address, or empty until there is one",
    "example": "alarms@example.com"
  }
]""")
ANSWERS: dict[str, object] = json.loads(r"""{{ cookiecutter|tojson }}""")
# What of the template's address is a secret: see `generator/git.py`.
SECRETS: list[tuple[str, str]] = json.loads(r"""[
  [
    "^(?!(?:\\w+\\+)?ssh://)(\\w[\\w+.-]*://)[^/?#]*@",
    "\\1"
  ],
  [
    "^((?:\\w+\\+)?ssh://[^/?#:@]*):[^/?#]*@",
    "\\1@"
  ]
]""")
# Each default as it follows from the answers before it.
DEFAULTS: dict[str, str] = json.loads(r"""{ "project_name": {% set value %}Visit Counts{% endset %}{{ value|tojson }}, "project_slug": {% set value %}{% set words %}{% for c in cookiecutter.project_name|lower %}{{ c if c in "abcdefghijklmnopqrstuvwxyz0123456789" else " " }}{% endfor %}{% endset %}{{ (words.split()|join("-"))[:30].strip("-") }}{% endset %}{{ value|tojson }}, "description": {% set value %}Counts visits by site and hour, each exactly once{% endset %}{{ value|tojson }}, "owner": {% set value %}@my-org/my-team{% endset %}{{ value|tojson }}, "repository": {% set value %}{{ cookiecutter.owner.strip("@").split("/")[0] }}/{{ cookiecutter.project_slug }}{% endset %}{{ value|tojson }}, "aws_region": {% set value %}eu-west-1{% endset %}{{ value|tojson }}, "python_version": {% set value %}3.14{% endset %}{{ value|tojson }}, "alarm_email": {% set value %}{% endset %}{{ value|tojson }} }""")
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
