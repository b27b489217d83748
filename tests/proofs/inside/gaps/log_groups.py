"""Gaps: ministack's CloudWatch Logs takes every filter on JSON for one that matches all, and names a log group without
the `:*` that IAM's policies have to name it with.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.services import cloudwatch_logs

# What the smoke tests use of the syntax: fields that have to be equal to a text, all of them.
FILTER = re.compile(r"\{ (\$\.\w+ = \"[^\"]*\"(?: && \$\.\w+ = \"[^\"]*\")*) \}")
TERM = re.compile(r"\$\.(\w+) = \"([^\"]*)\"")


def is_needed() -> bool:
    """Whether what does not match is still found, or a log group is named as no policy of AWS's names it."""
    found = cloudwatch_logs._compile_filter_pattern('{ $.message = "one" }')('{"message": "another"}')
    return bool(found) or not _named(iam_actions.extract_resource_arn).endswith(":*")


def close() -> None:
    """Read the filters, and name log groups as AWS does."""
    compiled, stock = cloudwatch_logs._compile_filter_pattern, iam_actions.extract_resource_arn

    def compile_pattern(raw: str) -> Callable[[str], bool]:
        if not raw.strip().startswith("{"):
            found: Callable[[str], bool] = compiled(raw)
            return found
        terms = FILTER.fullmatch(raw.strip())
        if not terms:
            raise ValueError(f"this filter is not known here: {raw}")
        wanted = dict(TERM.findall(terms[1]))
        return lambda line: all(_fields(line).get(name) == value for name, value in wanted.items())

    def resource_arn(service: str, *args: Any, **options: Any) -> str:
        arn: str = stock(service, *args, **options)
        return f"{arn}:*" if service == "logs" and ":log-group:" in arn and arn.count(":") == 6 else arn  # noqa: PLR2004

    cloudwatch_logs._compile_filter_pattern, iam_actions.extract_resource_arn = compile_pattern, resource_arn


def _fields(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(extract: Callable[..., str]) -> str:
    headers = {"x-amz-target": "Logs_20140328.FilterLogEvents"}
    body = b'{"logGroupName": "one"}'
    return extract("logs", "POST", "/", headers, body, {}, "eu-west-1", "123456789012")
