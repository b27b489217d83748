"""DELETE /items/{id}: removes an item."""

from dataclasses import dataclass

from service.adapters.items.delete import delete
from service.api import Request, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
from toolkit.runtime.observability import logger, observed


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    allowed_origin: str
    items_table: str


settings = read_settings(Settings)
dynamodb = client("dynamodb")


@observed
@route(settings.allowed_origin)
def handler(request: Request) -> Response:
    """Answer 204, or 412 when the item is not at the version of If-Match."""
    item_id, version = request.item_id, request.version_seen
    delete(dynamodb, settings.items_table, request.owner, item_id, version)
    logger.info("deleted", item_id=item_id)
    return {"statusCode": 204, "headers": {}, "body": ""}
