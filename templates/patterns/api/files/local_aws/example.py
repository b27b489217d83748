"""Example calls for `make local` to print."""

import uuid

from toolkit.local_aws.stack import Stack
from scripts.callers import curl_options


def example(stack: Stack) -> str:
    """Commands to paste: they create an item, and list it."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/items"
    curl = f"curl -i --cacert {stack.aws.ca} {curl_options(stack)}"
    return f"""\
Create an item, and list it:

  {curl} --write-out '\\n' \\
    --header "Idempotency-Key: {uuid.uuid4()}" --json '{{"name": "teapot", "quantity": 2}}' \\
    {url}
  {curl} --write-out '\\n' {url}
"""
