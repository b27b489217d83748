"""Gap: ministack carries out one DynamoDB call after the other: transactions never conflict.

Closed: a transaction takes some time, and until it is over DynamoDB refuses what writes to the same
items: a transaction with the reason TransactionConflict, a single write with
TransactionConflictException.
docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
"""

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

from ministack.services import dynamodb

SECONDS = 0.02
REFUSED = "Transaction is ongoing for the item"
SINGLE_WRITES = ("DeleteItem", "PutItem", "UpdateItem")
Key = tuple[str, str]


def is_needed() -> bool:
    return "TransactionConflict" not in inspect.getsource(dynamodb)


def close() -> None:
    handle = dynamodb.handle_request
    under_way: set[Key] = set()

    async def handle_with_conflicts(
        method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in ("TransactWriteItems", *SINGLE_WRITES):
            return await handle(method, path, headers, body, *rest)
        keys = list(keys_of(operation, json.loads(body)))
        if under_way.intersection(keys):
            return refusal(operation, [key in under_way for key in keys])
        if operation != "TransactWriteItems":
            return await handle(method, path, headers, body, *rest)
        under_way.update(keys)
        try:
            await asyncio.sleep(SECONDS)
            return await handle(method, path, headers, body, *rest)
        finally:
            under_way.difference_update(keys)

    dynamodb.handle_request = handle_with_conflicts


def keys_of(operation: str, request: dict[str, Any]) -> Iterator[Key]:
    """The items that a request writes to, each as its table and its key."""
    writes = request.get("TransactItems", []) if operation == "TransactWriteItems" else [request]
    for write in writes:
        what = next(iter(write.values())) if operation == "TransactWriteItems" else write
        table = dynamodb._normalize_table_name(what.get("TableName", ""))
        schema = (dynamodb._tables.get(table) or {}).get("KeySchema", [])
        names = [part["AttributeName"] for part in schema]
        values = what.get("Key") or what.get("Item") or {}
        yield table, json.dumps([values.get(name) for name in names])


def refusal(operation: str, conflicts: list[bool]) -> tuple[int, dict[str, str], bytes]:
    """What DynamoDB answers when some of the items are in another transaction."""
    answer: dict[str, Any] = {"__type": "TransactionConflictException", "message": REFUSED}
    if operation not in SINGLE_WRITES:
        codes = ["TransactionConflict" if conflict else "None" for conflict in conflicts]
        text = "Transaction cancelled, please refer cancellation reasons for specific reasons"
        answer = {
            "__type": "TransactionCanceledException",
            "message": f"{text} [{', '.join(codes)}]",
            "CancellationReasons": [
                {"Code": code} if code == "None" else {"Code": code, "Message": REFUSED}
                for code in codes
            ],
        }
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": answer["__type"]}
    return 400, headers, json.dumps(answer).encode()
