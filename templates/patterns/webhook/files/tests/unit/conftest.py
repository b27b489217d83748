"""The receiver, with everything but AWS."""

import base64
import importlib
import json
import time
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.received_deliveries import DeliveryIdUsedError
from service.domain.deliveries import Delivery
from toolkit.runtime.rotating_secret import RotatingSecret
from toolkit.runtime.signatures import SCHEMES
from toolkit.signed_delivery import LOCAL_VALUE, scheme_of_template, sign


class Secrets:
    """Stands in for Secrets Manager."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] | None = [{"value": LOCAL_VALUE}]
        self.reads = 0

    def get_secret_value(self, **_: str) -> dict[str, str]:
        self.reads += 1
        if self.entries is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": json.dumps({"secrets": self.entries})}


class Received:
    """Stands in for the records of deliveries."""

    def __init__(self) -> None:
        self.claimed: dict[str, str] = {}
        self.in_queue: set[str] = set()

    def claim(self, delivery: Delivery, _: int) -> bool:
        earlier = self.claimed.setdefault(delivery.delivery_id, delivery.fingerprint)
        if earlier != delivery.fingerprint:
            raise DeliveryIdUsedError(delivery.delivery_id)
        return delivery.delivery_id not in self.in_queue

    def queued(self, delivery: Delivery) -> None:
        self.in_queue.add(delivery.delivery_id)


class Queue:
    """Stands in for the queue."""

    def __init__(self) -> None:
        self.sent: list[tuple[Delivery, str]] = []

    def send(self, delivery: Delivery, correlation_id: str) -> None:
        self.sent.append((delivery, correlation_id))


class Receiver:
    """The handler, and what it is connected to."""

    def __init__(self, module: ModuleType, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module, self._context, self._monkeypatch = module, context, monkeypatch
        self.secrets, self.received, self.queue = Secrets(), Received(), Queue()
        monkeypatch.setattr(module, "received", self.received)
        monkeypatch.setattr(module, "deliveries", self.queue)
        self.use(scheme_of_template())

    def use(self, scheme: str) -> None:
        """Verify another scheme than the template's."""
        self.scheme = scheme
        self._monkeypatch.setattr(self.module, "scheme", SCHEMES[scheme])
        keys: Any = RotatingSecret(self.secrets, "arn", SCHEMES[scheme].key)  # type: ignore[arg-type]
        self._monkeypatch.setattr(self.module, "keys", keys)

    def signed(self, body: bytes, delivery_id: str, now: int | None = None) -> dict[str, str]:
        """The headers of a delivery that the provider sends now."""
        now = int(time.time()) if now is None else now
        return sign(self.scheme, LOCAL_VALUE, delivery_id, body, now)

    def post(self, body: bytes, headers: dict[str, Any], /, **more: Any) -> dict[str, Any]:
        """A request as a REST API hands it over."""
        several = {
            name: value if isinstance(value, list) else [value] for name, value in headers.items()
        }
        event = {
            "body": base64.b64encode(body).decode() or None,
            "isBase64Encoded": bool(body),
            "headers": {name: values[-1] for name, values in several.items() if values},
            "multiValueHeaders": {"Content-Type": ["application/json"], **several},
            "requestContext": {"requestId": "request"},
        }
        answer: dict[str, Any] = self.module.handler({**event, **more}, self._context)
        return answer

    def deliver(self, body: bytes, delivery_id: str = "delivery-1") -> int:
        """Post a delivery that the provider has signed; the status of the answer."""
        return int(self.post(body, self.signed(body, delivery_id))["statusCode"])


@pytest.fixture
def receiver(context: Any, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    for name, value in {
        "SIGNATURE_SCHEME": scheme_of_template(),
        "SECRET_ARN": "arn",
        "QUEUE_URL": "https://queue",
        "IDEMPOTENCY_TABLE": "idempotency",
        "IDEMPOTENCY_DAYS": "120",
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("service.handlers.receive")
    return Receiver(module, context, monkeypatch)
