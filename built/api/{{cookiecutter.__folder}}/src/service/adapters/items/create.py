"""Stores a new item, once per idempotency key."""

from typing import Any

from botocore.exceptions import ClientError

from service.adapters.items.rows import row_of
from service.domain.items import (
    BusyError,
    Content,
    Item,
    KeyUsedError,
    key_of_owner,
    new_item,
)
from toolkit.runtime.idempotency import IdempotentWriter, KeyReusedError
from toolkit.runtime.observability import tracer


@tracer.capture_method(capture_response=False)
def create(
    writer: IdempotentWriter, table: str, owner: str, key: str, content: Content, now: int
) -> tuple[Item, bool]:
    """The item that the key stands for, and whether it was stored now.

    Raises:
        KeyUsedError: the key stands for another item, or for one of longer ago than keys are kept.
        BusyError: the same request is being carried out at this moment.
    """
    item = new_item(owner, key, content)
    put: Any = {
        "Put": {
            "TableName": table,
            "Item": row_of(owner, item),
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }
    try:
        is_new = writer.write_once(key_of_owner(owner, key), content.to_json(), [put], now)
    except KeyReusedError as error:
        raise KeyUsedError from error
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        codes = [reason["Code"] for reason in reasons]
        if "TransactionConflict" in codes:
            raise BusyError from error
        if "ConditionalCheckFailed" in codes:
            raise KeyUsedError from error
        raise
    return item, is_new
