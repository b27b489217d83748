"""POST /products: stores a new product, once however often the request is sent."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.products.create import create
from service.api import Request, product_response, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
from toolkit.runtime.idempotency import IdempotentWriter
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    allowed_origin: str
    products_table: str
    idempotency_table: str
    idempotency_days: int


settings = read_settings(Settings)
writer = IdempotentWriter(client("dynamodb"), settings.idempotency_table, settings.idempotency_days)


@observed
@route(settings.allowed_origin)
def handler(request: Request) -> Response:
    """Answer 201 with the product; a second time, the same again."""
    key, content = request.idempotency_key, request.content
    now = int(time.time())
    product, is_new = create(writer, settings.products_table, request.owner, key, content, now)
    if is_new:
        logger.info("created", product_id=product.id)
        metrics.add_metric("Created", MetricUnit.Count, 1)
    else:
        logger.info("had been created before", product_id=product.id)
        metrics.add_metric("RepeatedCreates", MetricUnit.Count, 1)
    response = product_response(HTTPStatus.CREATED, product)
    response["headers"]["Location"] = f"products/{product.id}"  # Seen from /v1/products.
    return response
