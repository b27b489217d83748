"""Reads customers, a page at a time."""

from typing import TYPE_CHECKING, Any

from service.domain.invoices import Customer
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Customers:
    """The table of customers."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    @tracer.capture_method(capture_response=False)
    def after(self, cursor: str, limit: int) -> tuple[list[Customer], bool]:
        """The customers after one, in the table's own order, which stays the same.

        Args:
            cursor: the id of that customer; empty for the first page.
            limit: how many.

        Returns:
            The customers, and whether there may be more.
        """
        start: Any = {"ExclusiveStartKey": {"customer_id": {"S": cursor}}} if cursor else {}
        answer = self._dynamodb.scan(
            TableName=self._table, Limit=limit, ConsistentRead=True, **start
        )
        customers = [
            Customer(
                item["customer_id"]["S"], int(item["daily_cents"]["N"]), item["opened_at"]["S"]
            )
            for item in answer.get("Items", [])
        ]
        return customers, "LastEvaluatedKey" in answer
