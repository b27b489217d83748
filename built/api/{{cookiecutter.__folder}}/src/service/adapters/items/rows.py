"""How items stand in their table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.domain.items import BusyError, Item, ItemNotFoundError, VersionConflictError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# All items are one list, so they share a partition: see docs/adr/0005-cursor-pagination.md.
LIST = "items"


def key_of(item_id: str) -> dict[str, "AttributeValueTypeDef"]:
    """Where an item is."""
    return {"list": {"S": LIST}, "id": {"S": item_id}}


def row_of(item: Item) -> dict[str, "AttributeValueTypeDef"]:
    """An item as DynamoDB stores it."""
    return {
        **key_of(item.id),
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
