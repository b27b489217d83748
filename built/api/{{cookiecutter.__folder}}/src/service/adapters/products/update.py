"""Replaces the content of a product that is still at the version its writer has seen."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.adapters.products.rows import condition_on, key_of, product_in, refusal
from service.domain.products import Content, Product
from toolkit.runtime.observability import tracer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@tracer.capture_method(capture_response=False)
def update(
    dynamodb: "DynamoDBClient",
    table: str,
    owner: str,
    product_id: str,
    version: int | None,
    content: Content,
) -> Product:
    """The product as it is now, one version further; without a version, whichever it was at.

    Raises:
        ProductNotFoundError: it does not exist.
        VersionConflictError: another request changed it.
        BusyError: another request writes it at this moment.
    """
    condition, values = condition_on(version)
    try:
        changed = dynamodb.update_item(
            TableName=table,
            Key=key_of(owner, product_id),
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
    return product_in(changed["Attributes"])
