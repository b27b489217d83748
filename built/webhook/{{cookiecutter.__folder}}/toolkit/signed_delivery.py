"""Signs deliveries as a provider does: for tests and the demo, not for functions."""

import base64
import hashlib
import hmac

from toolkit.runtime.signatures import SCHEMES
from toolkit.template import functions

# A value that every scheme can use as a secret. It opens nothing: it is for the local AWS.
LOCAL_VALUE = "whsec_" + base64.b64encode(b"for the local AWS, and nothing else").decode()


def scheme_of_template() -> str:
    """The scheme that the stack verifies."""
    [scheme] = {
        function["Environment"]["Variables"].get("SIGNATURE_SCHEME")
        for function in functions().values()
    } - {None}
    return str(scheme)


def sign(scheme: str, value: str, delivery_id: str, body: bytes, now: int) -> dict[str, str]:
    """The headers that a provider sends with a delivery; `value` is its secret."""
    key = SCHEMES[scheme].key(value)

    def mac(content: bytes) -> bytes:
        return hmac.new(key, content, hashlib.sha256).digest()

    if scheme == "github":
        return {
            "X-GitHub-Delivery": delivery_id,
            "X-Hub-Signature-256": f"sha256={mac(body).hex()}",
        }
    if scheme == "stripe":
        return {"Stripe-Signature": f"t={now},v1={mac(f'{now}.'.encode() + body).hex()}"}
    content = f"{delivery_id}.{now}.".encode() + body
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(mac(content)).decode()}",
    }
