"""`make demo`: creates, changes, lists and deletes products on the local AWS."""

import json
import uuid

from scripts.callers import caller, curl_options
from toolkit.local_aws.stack import Stack


def run(stack: Stack) -> None:
    """Show each route, two writers at once, and a caller that repeats a request."""
    call = caller(stack)

    def show(method: str, path: str, body: str | None = None, **headers: str) -> str:
        answer = call(method, path, body, **headers)
        named = [f"({name}: {value})" for name, value in headers.items()]
        asked = " ".join([method, path, *filter(None, [body]), *named])
        print(f"  {asked}\n    -> {answer.status} {answer.body}")
        return answer.body

    print("\nCreate a product, and send it again, as after a lost answer:")
    key = str(uuid.uuid4())
    teapot = json.dumps({"name": "teapot", "quantity": 2})
    product = json.loads(show("POST", "/products", teapot, idempotency_key=key))
    show("POST", "/products", teapot, idempotency_key=key)

    print("\nTwo writers change version 1. One of them gets 412:")
    path = f"/products/{product['id']}"
    show("PUT", path, json.dumps({"name": "teapot", "quantity": 1}), if_match='"1"')
    show("PUT", path, json.dumps({"name": "teapot", "quantity": 7}), if_match='"1"')
    show("GET", path)

    print("\nThe list, a page at a time:")
    for name in ("cup", "saucer"):
        content = json.dumps({"name": name, "quantity": 4})
        call("POST", "/products", content, idempotency_key=str(uuid.uuid4()))
    cursor = json.loads(show("GET", "/products?limit=2"))["next_cursor"]
    show("GET", f"/products?limit=2&cursor={cursor}")

    print("\nWhat cannot be done:")
    show("POST", "/products", "this is no product", idempotency_key=str(uuid.uuid4()))
    show("GET", "/products?cursor=forged")
    show("PATCH", "/products")

    print("\nDelete it:")
    show("DELETE", path, if_match='"2"')
    show("GET", path)


def example(stack: Stack) -> str:
    """Commands to paste: they create a product, and list it."""
    url = f"{stack.aws.api_url(stack.outputs['ApiId'])}/products"
    curl = f"curl -i --cacert {stack.aws.ca} {curl_options(stack)}"
    return f"""\
Create a product, and list it:

  {curl} --write-out '\\n' \\
    --header "Idempotency-Key: {uuid.uuid4()}" --json '{{ "{{" }}"name": "teapot", "quantity": 2}}' \\
    {url}
  {curl} --write-out '\\n' {url}
"""
