"""Reads the list of items, a page at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.items.rows import LIST, item_in, key_of
from service.domain.items import Item
from service.domain.pages import cursor_after
from service.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of the list, in the order of their ids, and where the next page starts."""

    items: list[Item]
    next_cursor: str | None


@tracer.capture_method(capture_response=False)
def page(dynamodb: "DynamoDBClient", table: str, after: str | None, limit: int) -> Page:
    """The items whose ids come next.

    Keys are compared and places not counted, so what others write moves no item from one page to
    another.
    """
    start: Any = {"ExclusiveStartKey": key_of(after)} if after else {}
    found = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#list = :list",
        ExpressionAttributeNames={"#list": "list"},
        ExpressionAttributeValues={":list": {"S": LIST}},
        Limit=limit,
        **start,
    )
    items = [item_in(row) for row in found["Items"]]
    more = "LastEvaluatedKey" in found
    return Page(items, cursor_after(found["LastEvaluatedKey"]["id"]["S"]) if more else None)
