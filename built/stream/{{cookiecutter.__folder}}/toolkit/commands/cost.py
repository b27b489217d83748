"""Shows what this month cost so far, per function and in all, from AWS Cost Explorer.

Cost Explorer knows the tags once an administrator has made `project`, `environment` and `function`
cost-allocation tags (Billing, Cost allocation tags); it asks $0.01 per request.
"""

import argparse
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from toolkit.stacks import errors_in_one_line, settings_of


@errors_in_one_line
def main() -> None:
    """Entry point of `make cost`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="dev", help="section of samconfig.toml (%(default)s)")
    settings = settings_of(parser.parse_args().env)
    tags = dict(tag.split("=", 1) for tag in settings["deploy"]["parameters"]["tags"])
    # Cost Explorer lives in one region, for all of them.
    explorer = boto3.client("ce", region_name="us-east-1")
    today = datetime.now(tz=UTC).date()
    request: dict[str, Any] = {
        "TimePeriod": {
            "Start": today.replace(day=1).isoformat(),
            "End": (today + timedelta(days=1)).isoformat(),
        },
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "TAG", "Key": "function"}],
        "Filter": {
            "And": [
                {"Tags": {"Key": key, "Values": [tags[key]]}} for key in ("project", "environment")
            ]
        },
    }
    groups: list[Any] = []
    while True:
        answer = explorer.get_cost_and_usage(**request)
        groups += [group for period in answer["ResultsByTime"] for group in period["Groups"]]
        if not (token := answer.get("NextPageToken")):
            break
        request["NextPageToken"] = token
    if groups:
        print(table(groups))
    else:
        print("No cost has been recorded for these tags: see docs/operations.md, What it costs")


def table(groups: list[Any]) -> str:
    """One line per function, one for what belongs to none, and the sum."""
    costs: defaultdict[str, float] = defaultdict(float)
    for group in groups:
        name = group["Keys"][0].partition("$")[2] or "(shared)"
        costs[name] += float(group["Metrics"]["UnblendedCost"]["Amount"])
    rows = [*sorted(costs.items()), ("in all", sum(costs.values()))]
    return "\n".join(f"{name:<20} {cost:>10.2f} USD" for name, cost in rows)
