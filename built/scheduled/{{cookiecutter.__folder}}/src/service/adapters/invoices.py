"""Stores invoices: the key makes one for each customer and scheduled time."""

from typing import TYPE_CHECKING

from service.domain.invoices import Invoice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


class Invoices:
    """The table of invoices."""

    def __init__(self, table: str) -> None:
        self._table = table

    def put(self, invoice: Invoice) -> "TransactWriteItemTypeDef":
        """The write that stores an invoice, for the transaction with the run's checkpoint."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": {
                    "customer_id": {"S": invoice.customer_id},
                    "scheduled_time": {"S": invoice.scheduled_time},
                    "period_start": {"S": invoice.period_start},
                    "amount_cents": {"N": str(invoice.amount_cents)},
                },
                # The fencing token keeps this from happening. If it does, a person has to look.
                "ConditionExpression": "attribute_not_exists(customer_id)",
            }
        }
