"""Replaces the content of an item that is still at the version its writer has seen."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.adapters.items.rows import condition_on, item_in, key_of, refusal
from service.domain.items import Content, Item
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def update(
    dynamodb: "DynamoDBClient",
    table: str,
    owner: str,
    item_id: str,
    version: int | None,
    content: Content,
) -> Item:
    """The item as it is now, one version further; without a version, whichever it was at.

    Raises:
        ItemNotFoundError: there is none.
        VersionConflictError: somebody else was faster.
        BusyError: somebody else writes it at this moment.
    """
    condition, values = condition_on(version)
    try:
        changed = dynamodb.update_item(
            TableName=table,
            Key=key_of(owner, item_id),
            UpdateExpression=(
                "SET #name = :name, #quantity = :quantity, #version = #version + :one"
            ),
            ConditionExpression=condition,
            ExpressionAttributeNames={
                "#name": "name",
                "#quantity": "quantity",
                "#version": "version",
            },
            ExpressionAttributeValues={
                ":name": {"S": content.name},
                ":quantity": {"N": str(content.quantity)},
                ":one": {"N": "1"},
                **values,
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        raise refusal(error) from error
    return item_in(changed["Attributes"])
