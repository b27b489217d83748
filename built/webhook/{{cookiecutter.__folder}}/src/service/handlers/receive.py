"""POST /webhooks: verifies a delivery, puts it in the queue and answers at once."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.adapters.delivery_queue import DeliveryQueue
from service.adapters.received_deliveries import DeliveryIdUsedError, ReceivedDeliveries
from service.domain.deliveries import LARGEST_BODY, Delivery, printable
from toolkit.runtime.aws import client, is_transient
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response, correlation_id, json_response, problem, unavailable
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed, tracer
from toolkit.runtime.rotating_secret import NoUsableValueError, RotatingSecret
from toolkit.runtime.signatures import (
    SCHEMES,
    Headers,
    InvalidSignatureError,
    Signed,
    TooLargeError,
    check_time,
    delivery_id_of,
    headers_of,
    is_signed_by,
    raw_body,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    signature_scheme: str
    secret_arn: str
    idempotency_table: str
    idempotency_days: int
    queue_url: str


# Throttling ends within seconds. Providers wait longer by themselves.
RETRY_AFTER_SECONDS = 5

settings = read_settings(Settings)
scheme = SCHEMES[settings.signature_scheme]
keys = RotatingSecret(client("secretsmanager"), settings.secret_arn, scheme.key)
received = ReceivedDeliveries(
    client("dynamodb"), settings.idempotency_table, settings.idempotency_days
)
deliveries = DeliveryQueue(client("sqs"), settings.queue_url)


@observed
def handler(event: dict[str, Any], context: "LambdaContext") -> Response:
    """Answer 202 once the delivery is in the queue. README.md lists the other answers."""
    correlation = correlation_id(event)
    logger.set_correlation_id(correlation)
    now = int(time.time())
    try:
        body = raw_body(event, LARGEST_BODY)
        headers = headers_of(event)
        delivery_id = verified(headers, body, now)
        if not delivery_id:
            return problem(HTTPStatus.BAD_REQUEST, "The delivery has no id.")
        logger.append_keys(delivery_id=delivery_id)
        delivery = Delivery(
            delivery_id, only(headers, "content-type"), only(headers, "x-github-event"), body
        )
        return accept(delivery, correlation, now)
    except TooLargeError:
        logger.warning("too large")
        metrics.add_metric("DeliveriesRefused", MetricUnit.Count, 1)
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The delivery is too large.")
    except InvalidSignatureError as error:
        logger.info("refused", reason=str(error))
        metrics.add_metric("DeliveriesRefused", MetricUnit.Count, 1)
        # The same for every reason: it must not tell a forger which part was right.
        return problem(HTTPStatus.UNAUTHORIZED, "The signature is missing or invalid.")
    except DeliveryIdUsedError:
        logger.error("the delivery id came before, with a different body")
        metrics.add_metric("DeliveryConflicts", MetricUnit.Count, 1)
        return problem(HTTPStatus.CONFLICT, "The delivery id was used before, for another body.")
    except NoUsableValueError as error:
        logger.error("no usable secret", cause=str(error))
        metrics.add_metric("SecretMissing", MetricUnit.Count, 1)
        return unavailable(RETRY_AFTER_SECONDS)
    except (BotoCoreError, ClientError) as error:
        if not is_transient(error):
            raise
        logger.warning("unavailable", cause=str(error))
        metrics.add_metric("Unavailable", MetricUnit.Count, 1)
        return unavailable(RETRY_AFTER_SECONDS)


@tracer.capture_method(capture_response=False)
def verified(headers: Headers, body: bytes, now: int) -> str:
    """The id of a delivery that the provider has signed; empty if it has none.

    Raises:
        InvalidSignatureError: nothing shows that the provider sent it, or sent it now.
    """
    signed = scheme.read(headers, body)
    if not is_signed_by(keys.current(now), signed) and not is_signed_by_newer(signed, now):
        # Counted apart from requests that are not signed at all, which anybody's scanner sends.
        metrics.add_metric("SignaturesWrong", MetricUnit.Count, 1)
        raise InvalidSignatureError("no signature is right")
    check_time(signed, now)
    return delivery_id_of(signed, body)


def is_signed_by_newer(signed: Signed, now: int) -> bool:
    """Whether a key that came into the secret since it was read made one of the signatures."""
    return is_signed_by(keys.newer(now), signed)


def accept(delivery: Delivery, correlation: str, now: int) -> Response:
    """Put a delivery in the queue, unless it is there already."""
    if not received.claim(delivery, now):
        logger.info("duplicate")
        metrics.add_metric("DuplicateDeliveries", MetricUnit.Count, 1)
        return ACCEPTED
    deliveries.send(delivery, correlation)
    try:
        received.queued(delivery)
    except (BotoCoreError, ClientError) as error:
        if not is_transient(error):
            raise
        # It is in the queue. If the provider sends it again it goes there again, and has no effect.
        logger.warning("not recorded as queued", cause=str(error))
    logger.info("accepted")
    metrics.add_metric("DeliveriesAccepted", MetricUnit.Count, 1)
    return ACCEPTED


ACCEPTED = json_response(HTTPStatus.ACCEPTED, {"status": "accepted"})


def only(headers: Headers, name: str) -> str:
    """The value of a header that was sent once; empty otherwise."""
    values = headers.get(name, ())
    return printable(values[0]) if len(values) == 1 else ""
