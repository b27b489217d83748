"""Reads an item."""

from typing import TYPE_CHECKING

from service.adapters.items.rows import item_in, key_of
from service.domain.items import Item, ItemNotFoundError
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def get(dynamodb: "DynamoDBClient", table: str, owner: str, item_id: str) -> Item:
    """The item as it is after every write that was answered before."""
    found = dynamodb.get_item(TableName=table, Key=key_of(owner, item_id), ConsistentRead=True)
    if "Item" not in found:
        raise ItemNotFoundError
    return item_in(found["Item"])
