"""An example call for `make local` to print."""

import json

from toolkit.local_aws.stack import Stack


def example(stack: Stack) -> str:
    """A command to paste: it sends an order for what is now in stock."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
    order = {"order_id": "order-1", "sku": "teapot", "quantity": 2, "amount": 4200, "country": "DE"}
    stack.aws.client("dynamodb").put_item(
        TableName=stack.outputs["StockTable"],
        Item={"sku": {"S": "teapot"}, "available": {"N": "10"}},
    )
    return f"""\
Ten teapots are in stock. Send an order:

  curl --cacert {stack.aws.ca} --write-out '\\n' \\
    --aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test \\
    --json '{json.dumps(order)}' \\
    {url}
"""
