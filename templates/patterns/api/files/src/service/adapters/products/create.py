"""Stores a new product, once per idempotency key."""

from typing import Any

from botocore.exceptions import ClientError

from service.adapters.products.rows import row_of
from service.domain.products import (
    BusyError,
    Content,
    KeyUsedError,
    Product,
    key_of_owner,
    new_product,
)
from toolkit.runtime.idempotency import IdempotentWriter, KeyReusedError
from toolkit.runtime.observability import tracer


@tracer.capture_method(capture_response=False)
def create(
    writer: IdempotentWriter, table: str, owner: str, key: str, content: Content, now: int
) -> tuple[Product, bool]:
    """The product that the key creates, and whether it was stored now.

    Raises:
        KeyUsedError: the key was used for a different product, or longer ago than keys are kept.
        BusyError: the same request is being carried out at this moment.
    """
    product = new_product(owner, key, content)
    put: Any = {
        "Put": {
            "TableName": table,
            "Item": row_of(owner, product),
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
    return product, is_new
