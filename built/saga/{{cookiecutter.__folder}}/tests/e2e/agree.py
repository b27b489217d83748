"""The one question behind all these tests: do money, stock and shipments agree?"""

from collections.abc import Iterable
from typing import Any

from toolkit.local_aws.stack import Stack

ALL_DONE = {"stock": "done", "payment": "done", "shipment": "done"}


def items(stack: Stack, table: str) -> list[dict[str, Any]]:
    """Everything in a table, each value without its type."""
    pages = (
        stack.aws.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=stack.outputs[table], ConsistentRead=True)
    )
    return [
        {name: value for name, [value] in ((n, v.values()) for n, v in item.items())}
        for page in pages
        for item in page["Items"]
    ]


def id_in(item: dict[str, Any]) -> str:
    """The order's id in its key: what follows is for its caller, who is always the same here."""
    order_id: str = item["order_key"].rpartition("-")[0]
    return order_id


def ends(stack: Stack, orders: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Whether all of each order was done, or nothing of it is left; anything between is an error.

    Call it when the workflows of these orders have ended.
    """
    steps: dict[str, dict[str, str]] = {}
    for record in items(stack, "StepsTable"):
        steps.setdefault(id_in(record), {})[record["step"]] = record["state"]
    paid = {id_in(item): item for item in items(stack, "PaymentsTable")}
    shipped = {id_in(item): item for item in items(stack, "ShipmentsTable")}
    found = {}
    for order in orders:
        order_id = order["order_id"]
        states = (
            steps.get(order_id, {}),
            paid.get(order_id, {}).get("state"),
            shipped.get(order_id, {}).get("state"),
        )
        if states == (ALL_DONE, "taken", "arranged"):
            assert int(paid[order_id]["amount"]) == order["amount"]
            assert int(shipped[order_id]["quantity"]) == order["quantity"]
            found[order_id] = "fulfilled"
        else:
            assert set(states[0].values()) == {"undone"}, f"half-done: {order_id} {states}"
            assert states[1] in (None, "refunded"), f"kept the money: {order_id} {states}"
            assert states[2] in (None, "cancelled"), f"shipped: {order_id} {states}"
            found[order_id] = "undone"
    return found


def assert_all_agree(stack: Stack, sku: str, at_first: int, orders: list[dict[str, Any]]) -> None:
    """What is left of a sku and what was shipped of it is what was there at first."""
    fulfilled = [order_id for order_id, end in ends(stack, orders).items() if end == "fulfilled"]
    gone = sum(order["quantity"] for order in orders if order["order_id"] in fulfilled)
    [left] = [int(i["available"]) for i in items(stack, "StockTable") if i["sku"] == sku]

    assert left >= 0
    assert left + gone == at_first
