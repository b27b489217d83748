"""Gap: ministack's IAM takes every schedule for one of the group `default`.

Closed: it asks about the schedule in its own group, which is in the query or in the body.
docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
"""

import json
from typing import Any

from ministack.core import iam_actions

IN_DEFAULT = ":schedule/default/"


def is_needed() -> bool:
    query = {"groupName": ["g"]}
    asked: Any = ("scheduler", "GET", "/schedules/a", {}, b"", query, "eu-west-1", "1")
    return IN_DEFAULT in iam_actions.extract_resource_arn(*asked)


def close() -> None:
    resource_arn = iam_actions.extract_resource_arn

    def in_its_group(service: str, *request: Any) -> str:
        arn: str = resource_arn(service, *request)
        if service != "scheduler" or IN_DEFAULT not in arn:
            return arn
        _, _, _, body, query, *_ = request
        [group] = query.get("groupName") or [json.loads(body or b"{}").get("GroupName", "default")]
        return arn.replace(IN_DEFAULT, f":schedule/{group}/")

    iam_actions.extract_resource_arn = in_its_group
