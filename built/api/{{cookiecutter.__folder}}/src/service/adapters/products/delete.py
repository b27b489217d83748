"""Deletes a product that is still at the version its reader has seen."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from service.adapters.products.rows import condition_on, key_of, refusal
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def delete(
    dynamodb: "DynamoDBClient", table: str, owner: str, product_id: str, version: int | None
) -> None:
    """Delete it for good; without a version, whichever it is at.

    Raises:
        ProductNotFoundError: it does not exist.
        VersionConflictError: another request changed it.
        BusyError: another request writes it at this moment.
    """
    condition, values = condition_on(version)
    # DynamoDB takes no empty map.
    with_values: Any = {"ExpressionAttributeValues": values} if values else {}
    try:
        dynamodb.delete_item(
            TableName=table,
            Key=key_of(owner, product_id),
            ConditionExpression=condition,
            ExpressionAttributeNames={"#version": "version"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **with_values,
        )
    except ClientError as error:
        raise refusal(error) from error
