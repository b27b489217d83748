"""Deletes an item that is still at the version its reader has seen."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.adapters.items.rows import key_of, refusal
from service.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def delete(dynamodb: "DynamoDBClient", table: str, item_id: str, version: int) -> None:
    """Delete it for good.

    Raises:
        ItemNotFoundError: there is none.
        VersionConflictError: somebody else has changed it.
        BusyError: somebody else writes it at this moment.
    """
    try:
        dynamodb.delete_item(
            TableName=table,
            Key=key_of(item_id),
            ConditionExpression="#version = :seen",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":seen": {"N": str(version)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        raise refusal(error) from error
