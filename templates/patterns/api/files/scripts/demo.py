"""`make demo`: creates, changes, lists and deletes items on the local AWS."""

import json
import sys
import uuid

from scripts.callers import caller, curl_options
from toolkit.local_aws.stack import LocalAwsError, Stack, deploy, local_aws


def main() -> None:
    """Bring the stack up, and show what it promises."""
    try:
        with local_aws() as aws:
            print(
                f"Local AWS at {aws.endpoint}: building and deploying template.yaml …", flush=True
            )
            run(deploy(aws))
    except LocalAwsError as error:
        sys.exit(str(error))


def run(stack: Stack) -> None:
    """Show each route, and what two writers and a forgetful caller are told."""
    call = caller(stack)

    def show(method: str, path: str, body: str | None = None, **headers: str) -> str:
        answer = call(method, path, body, **headers)
        named = [f"({name}: {value})" for name, value in headers.items()]
        asked = " ".join([method, path, *filter(None, [body]), *named])
        print(f"  {asked}\n    -> {answer.status} {answer.body}")
        return answer.body

    print("\nCreate an item, and the same again, as a caller does that heard no answer:")
    key = str(uuid.uuid4())
    teapot = json.dumps({"name": "teapot", "quantity": 2})
    item = json.loads(show("POST", "/items", teapot, idempotency_key=key))
    show("POST", "/items", teapot, idempotency_key=key)

    print("\nTwo writers have seen version 1. One of them is told to look again:")
    path = f"/items/{item['id']}"
    show("PUT", path, json.dumps({"name": "teapot", "quantity": 1}), if_match='"1"')
    show("PUT", path, json.dumps({"name": "teapot", "quantity": 7}), if_match='"1"')
    show("GET", path)

    print("\nThe list, a page at a time:")
    for name in ("cup", "saucer"):
        content = json.dumps({"name": name, "quantity": 4})
        call("POST", "/items", content, idempotency_key=str(uuid.uuid4()))
    cursor = json.loads(show("GET", "/items?limit=2"))["next_cursor"]
    show("GET", f"/items?limit=2&cursor={cursor}")

    print("\nWhat cannot be done:")
    show("POST", "/items", "this is no item", idempotency_key=str(uuid.uuid4()))
    show("GET", "/items?cursor=forged")
    show("PATCH", "/items")

    print("\nDelete it:")
    show("DELETE", path, if_match='"2"')
    show("GET", path)


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


if __name__ == "__main__":
    main()
