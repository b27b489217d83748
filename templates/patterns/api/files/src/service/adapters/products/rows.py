"""Products as items of their table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.domain.products import BusyError, Product, ProductNotFoundError, VersionConflictError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def key_of(owner: str, product_id: str) -> dict[str, "AttributeValueTypeDef"]:
    """The key of a product: its owner is the partition (docs/adr/0005-cursor-pagination.md)."""
    return {"owner": {"S": owner}, "id": {"S": product_id}}


def row_of(owner: str, product: Product) -> dict[str, "AttributeValueTypeDef"]:
    """A product as DynamoDB stores it."""
    return {
        **key_of(owner, product.id),
        "version": {"N": str(product.version)},
        "name": {"S": product.name},
        "quantity": {"N": str(product.quantity)},
    }


def product_in(row: Mapping[str, Any]) -> Product:
    """The product in a row."""
    return Product(
        id=row["id"]["S"],
        version=int(row["version"]["N"]),
        name=row["name"]["S"],
        quantity=int(row["quantity"]["N"]),
    )


def condition_on(version: int | None) -> tuple[str, dict[str, "AttributeValueTypeDef"]]:
    """The condition that a product is there and at a version, and its values; None for any version.

    The caller must define `#version` in ExpressionAttributeNames.
    """
    if version is None:
        return "attribute_exists(#version)", {}
    return "#version = :seen", {":seen": {"N": str(version)}}


def refusal(error: "ClientError") -> Exception:
    """Why a write on the condition of a version was refused, if that is what happened."""
    match error.response["Error"]["Code"]:
        case "ConditionalCheckFailedException":
            # DynamoDB sends along what stood in the way; nothing did when there is no such product.
            return VersionConflictError() if "Item" in error.response else ProductNotFoundError()
        case "TransactionConflictException":
            return BusyError()
        case _:
            return error
