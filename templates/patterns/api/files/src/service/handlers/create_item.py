"""POST /items: stores a new item, once however often the request is sent."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.items.create import create
from service.api import Request, item_response, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
from toolkit.runtime.idempotency import IdempotentWriter
from toolkit.runtime.observability import MetricUnit, logger, metrics, observed


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    allowed_origin: str
    items_table: str
    idempotency_table: str
    idempotency_days: int


settings = read_settings(Settings)
writer = IdempotentWriter(client("dynamodb"), settings.idempotency_table, settings.idempotency_days)


@observed
@route(settings.allowed_origin)
def handler(request: Request) -> Response:
    """Answer 201 with the item; a second time, the same again."""
    key, content = request.idempotency_key, request.content
    now = int(time.time())
    item, is_new = create(writer, settings.items_table, request.owner, key, content, now)
    if is_new:
        logger.info("created", item_id=item.id)
        metrics.add_metric("ItemsCreated", MetricUnit.Count, 1)
    else:
        logger.info("had been created before", item_id=item.id)
        metrics.add_metric("RepeatedCreates", MetricUnit.Count, 1)
    response = item_response(HTTPStatus.CREATED, item)
    response["headers"]["Location"] = f"items/{item.id}"  # Seen from /v1/items.
    return response
