"""Reads an owner's products, a page at a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.adapters.products.rows import key_of, product_in
from service.domain.pages import cursor_after
from service.domain.products import Product
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Page:
    """Some products of a list, sorted by their ids, and where the next page starts."""

    products: list[Product]
    next_cursor: str | None


@tracer.capture_method(capture_response=False)
def page(dynamodb: "DynamoDBClient", table: str, owner: str, after: str | None, limit: int) -> Page:
    """The owner's products whose ids come next.

    Keys are compared and places not counted, so what others write moves no product from one page to
    another.
    """
    start: Any = {"ExclusiveStartKey": key_of(owner, after)} if after else {}
    found = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": owner}},
        # One more than requested: LastEvaluatedKey alone does not say whether more follow.
        Limit=limit + 1,
        **start,
    )
    products = [product_in(row) for row in found["Items"]]
    # A page also ends after 1 MB.
    is_last = len(products) <= limit and "LastEvaluatedKey" not in found
    return Page(products[:limit], None if is_last else cursor_after(products[:limit][-1].id))
