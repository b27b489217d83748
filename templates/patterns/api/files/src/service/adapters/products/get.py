"""Reads a product."""

from typing import TYPE_CHECKING

from service.adapters.products.rows import key_of, product_in
from service.domain.products import Product, ProductNotFoundError
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def get(dynamodb: "DynamoDBClient", table: str, owner: str, product_id: str) -> Product:
    """The product as it is after every write that was answered before."""
    found = dynamodb.get_item(TableName=table, Key=key_of(owner, product_id), ConsistentRead=True)
    if "Item" not in found:
        raise ProductNotFoundError
    return product_in(found["Item"])
