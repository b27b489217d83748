"""Does each step of an order once, and undoes it once, for calls in any sequence."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.try_again import TryAgainError
from toolkit.runtime.aws import is_transient
from toolkit.runtime.observability import logger
from toolkit.runtime.transactions import cancellation_reasons, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_SECONDS_PER_DAY = 86_400


class StepUndoneError(Exception):
    """The step comes too late: it was undone before it was done, and stays undone."""


class EffectRefusedError(Exception):
    """A condition of the step's own effect does not hold; nothing was written."""


class Steps:
    """The record of what was done and undone, one item per order and step.

    Effect and record are written in one DynamoDB transaction, so one is never there without the
    other. An undone step leaves its record behind as a tombstone: the workflow may give up on a
    call that is still on its way, and what arrives after its compensation must not take effect.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str, keep_days: int) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._keep_seconds = keep_days * _SECONDS_PER_DAY

    def do_once(
        self,
        order_key: str,
        step: str,
        effect: Sequence["TransactWriteItemTypeDef"],
        result: str,
        now: int,
    ) -> str:
        """Apply `effect`, unless the step was done before.

        Returns:
            `result`, or that of the time before, whose answer was lost on the way.

        Raises:
            StepUndoneError: the step was undone before.
            EffectRefusedError: a condition of `effect` does not hold.
            TryAgainError: DynamoDB could not do it now, or its answer was lost.
        """
        record = self._record(order_key, step, "done", result, now)
        record["ConditionExpression"] = "attribute_not_exists(order_key)"
        earlier = self._write([{"Put": record}, *effect])
        if earlier is None:
            return result
        if earlier.get("state") == {"S": "done"}:
            logger.info("the step had been done before", step=step)
            return str(earlier["result"]["S"])
        raise StepUndoneError(f"{step} was undone before it was done")

    def undo_once(
        self, order_key: str, step: str, reverse: Sequence["TransactWriteItemTypeDef"], now: int
    ) -> bool:
        """Apply `reverse` if the step was done, and see to it that it is never done again.

        Returns:
            Whether something was undone now.

        Raises:
            TryAgainError: DynamoDB could not do it now, or its answer was lost.
        """
        tombstone = self._record(order_key, step, "undone", "", now)
        undo = {
            **tombstone,
            "ConditionExpression": "#state = :done",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":done": {"S": "done"}},
        }
        earlier = self._write([{"Put": undo}, *reverse])
        if earlier is None:
            return True
        if not earlier:
            bury = {**tombstone, "ConditionExpression": "attribute_not_exists(order_key)"}
            earlier = self._write([{"Put": bury}])
            if earlier and earlier["state"] == {"S": "done"}:
                raise TryAgainError(f"{step} was done at this very moment")
        return False

    def _record(self, order_key: str, step: str, state: str, result: str, now: int) -> Any:
        return {
            "TableName": self._table,
            "Item": {
                "order_key": {"S": order_key},
                "step": {"S": step},
                "state": {"S": state},
                "result": {"S": result},
                "expires_at": {"N": str(now + self._keep_seconds)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _write(self, items: Sequence[Any]) -> Mapping[str, Any] | None:
        """Write all of it or nothing.

        Returns:
            None when it was written; else the record that stood in the way, empty if it is that
            there is none.
        """
        try:
            write_all(self._dynamodb, items)
        except (BotoCoreError, ClientError) as error:
            record, *effects = cancellation_reasons(error) or [{}]
            # The record decides first: what was done before is done, even if it could not be now.
            if record.get("Code") == "ConditionalCheckFailed":
                existing: Mapping[str, Any] = record.get("Item", {})
                return existing
            if is_transient(error):
                raise TryAgainError(str(error)) from error
            if "ConditionalCheckFailed" in [effect.get("Code") for effect in effects]:
                raise EffectRefusedError from error
            raise
        return None
