"""PUT /items/{id}: replaces what is known of an item."""

from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.items.update import update
from service.api import Request, item_response, route
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
    """Answer 200 with the new version, 412 when the item is not at the version of If-Match."""
    item_id, version, content = request.item_id, request.version_seen, request.content
    item = update(dynamodb, settings.items_table, request.owner, item_id, version, content)
    logger.info("updated", item_id=item.id, version=item.version)
    return item_response(HTTPStatus.OK, item)
