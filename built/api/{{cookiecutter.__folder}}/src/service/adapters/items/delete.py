"""Deletes an item that is still at the version its reader has seen."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from service.adapters.items.rows import condition_on, key_of, refusal
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def delete(
    dynamodb: "DynamoDBClient", table: str, owner: str, item_id: str, version: int | None
) -> None:
    """Delete it for good; without a version, whichever it is at.

    Raises:
        ItemNotFoundError: there is none.
        VersionConflictError: somebody else has changed it.
        BusyError: somebody else writes it at this moment.
    """
    condition, values = condition_on(version)
    # DynamoDB takes no empty map.
    with_values: Any = {"ExpressionAttributeValues": values} if values else {}
    try:
        dynamodb.delete_item(
            TableName=table,
            Key=key_of(owner, item_id),
            ConditionExpression=condition,
            ExpressionAttributeNames={"#version": "version"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **with_values,
        )
    except ClientError as error:
        raise refusal(error) from error
