"""An example call for `make local` to print."""

from toolkit.local_aws.stack import Stack


def example(stack: Stack) -> str:
    """A command to paste: it sends an order through the stack."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/orders"
    return f"""\
Send an order:

  curl --cacert {stack.aws.ca} --write-out '\\n' \\
    --aws-sigv4 aws:amz:{stack.aws.region}:execute-api --user test:test \\
    --json '{{"order_id": "order-1", "sku": "teapot", "quantity": 2}}' \\
    {url}
"""
