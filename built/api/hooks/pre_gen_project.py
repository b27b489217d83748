"""Refuses an answer that breaks its rule, before cookiecutter writes any file of the project."""

import json
import re
import sys

# `make build` puts the rules here, and cookiecutter the answers: JSON in raw strings, so they are data and never code.
RULES: list[dict[str, str]] = json.loads(r"""[
  {
    "name": "project_name",
    "default": "Order Intake",
    "matches": "(?!.*(?:\\{\\{|\\\u007b%|\\\u007b#))[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff\\ufffe\\uffff](?:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff]{0,58}[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff])?",
    "reason": "1 to 60 characters on one line, no space at either end, and no \u007b{, \u007b% or \u007b#, which the engines would evaluate",
    "example": "Order Intake"
  },
  {
    "name": "project_slug",
    "default": "\u007b% set words %}\u007b% for c in cookiecutter.project_name|lower %}\u007b{ c if c in \"abcdefghijklmnopqrstuvwxyz0123456789\" else \" \" }}\u007b% endfor %}\u007b% endset %}\u007b{ (words.split()|join(\"-\"))[:30].strip(\"-\") }}",
    "matches": "(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)(?=.{3,30}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
    "reason": "3 to 30 lowercase letters, digits and single hyphens, starting with a letter (AWS allows 64 characters for a function's name and 63 for a bucket's, and both are built from it), and not a device name of Windows such as con",
    "example": "order-intake"
  },
  {
    "name": "description",
    "default": "Takes care of orders, each of them exactly once",
    "matches": "(?!.*(?:\\{\\{|\\\u007b%|\\\u007b#))[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ud800-\\udfff\\ufffe\\uffff](?:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff]{0,118}[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff])?",
    "reason": "1 to 120 characters on one line, no space at either end, and no \u007b{, \u007b% or \u007b#, which the engines would evaluate",
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
    "matches": "(?!cn-|us-gov-|us-iso|eu-iso)[a-z]{2}(?:-[a-z]+)+-[0-9]",
    "reason": "the code of an AWS region, and not one of China, GovCloud or the isolated regions, where costs, power tuning, the console and the sign-in of GitHub work in another way",
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
  },
  {
    "name": "authentication",
    "default": "IAM",
    "matches": "none|IAM|JWT",
    "reason": "one of none, IAM, JWT",
    "example": "IAM"
  },
  {
    "name": "web_origin",
    "default": "",
    "matches": "(?:none|https://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?)?",
    "reason": "https:// and a host in lower case, without a path; or none; or empty until it is known",
    "example": "https://www.example.com"
  }
]""")
ANSWERS: dict[str, object] = json.loads(r"""{{ cookiecutter|tojson }}""")
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


for rule in RULES:
    if reason := refusal(rule, answer(rule)):
        sys.exit(f"{reason}\nNothing was written.")
