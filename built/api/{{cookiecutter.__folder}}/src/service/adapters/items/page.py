"""Reads an owner's items, a page at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.items.rows import item_in, key_of
from service.domain.items import Item
from service.domain.pages import cursor_after
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a list, in the order of their ids, and where the next page starts."""

    items: list[Item]
    next_cursor: str | None


@tracer.capture_method(capture_response=False)
def page(dynamodb: "DynamoDBClient", table: str, owner: str, after: str | None, limit: int) -> Page:
    """The owner's items whose ids come next.

    Keys are compared and places not counted, so what others write moves no item from one page to
    another.
    """
    start: Any = {"ExclusiveStartKey": key_of(owner, after)} if after else {}
    found = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": owner}},
        # One more than are asked for: LastEvaluatedKey alone does not tell whether more follow.
        Limit=limit + 1,
        **start,
    )
    items = [item_in(row) for row in found["Items"]]
    # A page also ends after 1 MB.
    is_last = len(items) <= limit and "LastEvaluatedKey" not in found
    return Page(items[:limit], None if is_last else cursor_after(items[:limit][-1].id))
