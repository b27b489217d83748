"""How items stand in their table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.domain.items import BusyError, Item, ItemNotFoundError, VersionConflictError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def key_of(owner: str, item_id: str) -> dict[str, "AttributeValueTypeDef"]:
    """Where an item is: an owner's items share a partition (docs/adr/0005-cursor-pagination.md)."""
    return {"owner": {"S": owner}, "id": {"S": item_id}}


def row_of(owner: str, item: Item) -> dict[str, "AttributeValueTypeDef"]:
    """An item as DynamoDB stores it."""
    return {
        **key_of(owner, item.id),
        "version": {"N": str(item.version)},
        "name": {"S": item.name},
        "quantity": {"N": str(item.quantity)},
    }


def item_in(row: Mapping[str, Any]) -> Item:
    """The item in a row."""
    return Item(
        id=row["id"]["S"],
        version=int(row["version"]["N"]),
        name=row["name"]["S"],
        quantity=int(row["quantity"]["N"]),
    )


def condition_on(version: int | None) -> tuple[str, dict[str, "AttributeValueTypeDef"]]:
    """The condition that an item is there and at a version, and its values; None for any version.

    Whoever uses it has to say what `#version` stands for.
    """
    if version is None:
        return "attribute_exists(#version)", {}
    return "#version = :seen", {":seen": {"N": str(version)}}


def refusal(error: "ClientError") -> Exception:
    """Why a write on the condition of a version was refused, if that is what happened."""
    match error.response["Error"]["Code"]:
        case "ConditionalCheckFailedException":
            # DynamoDB sends along what stood in the way; nothing did when there is no such item.
            return VersionConflictError() if "Item" in error.response else ItemNotFoundError()
        case "TransactionConflictException":
            return BusyError()
        case _:
            return error
