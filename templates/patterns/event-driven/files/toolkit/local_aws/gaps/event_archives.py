"""Gap: ministack has archives of events, but refuses them in templates; a replay goes to all rules.

Closed: they deploy, and a replay goes to the rules that FilterArns of its destination names. IAM is
asked about the archive.
docs.aws.amazon.com/eventbridge/latest/APIReference/API_ReplayDestination.html
docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

KIND = "AWS::Events::Archive"


def is_needed() -> bool:
    return KIND not in provisioners._RESOURCE_HANDLERS


def close() -> None:
    provisioners._RESOURCE_HANDLERS[KIND] = {"create": create, "delete": delete}
    invoke = eventbridge._invoke_target

    def invoke_if_meant(
        target: Any, event: dict[str, Any], rule: dict[str, Any], *rest: Any
    ) -> Any:
        replay = eventbridge._replays.get(event.get("ReplayName") or "") or {}
        meant = replay.get("Destination", {}).get("FilterArns")
        if meant and rule["Arn"] not in meant:
            return None
        return invoke(target, event, rule, *rest)

    eventbridge._invoke_target = invoke_if_meant
    resource_of = iam_actions.extract_resource_arn

    def archive_or(*asked: Any, **more: Any) -> Any:
        headers = next(one for one in asked if isinstance(one, dict))
        body = next((one for one in asked if isinstance(one, bytes)), b"")
        if headers.get("x-amz-target") == "AWSEvents.StartReplay":
            return json.loads(body)["EventSourceArn"]
        return resource_of(*asked, **more)

    iam_actions.extract_resource_arn = archive_or


def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    name = properties["ArchiveName"]
    status, _, answer = eventbridge._create_archive(
        {
            "ArchiveName": name,
            "EventSourceArn": properties["SourceArn"],
            "RetentionDays": int(properties.get("RetentionDays", 0)),
        }
    )
    if status >= 400:
        raise ValueError(f"{KIND}: {answer!r}")
    return name, {"ArchiveName": name, "Arn": json.loads(answer)["ArchiveArn"]}


def delete(physical_id: str, properties: dict[str, Any]) -> None:
    eventbridge._delete_archive({"ArchiveName": physical_id})
