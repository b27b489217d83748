"""GET /items/{id}: answers with an item."""

from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.items.get import get
from service.api import Request, item_response, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
from toolkit.runtime.observability import observed


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
    """Answer 200 with the item, 404 when there is none."""
    item = get(dynamodb, settings.items_table, request.owner, request.item_id)
    return item_response(HTTPStatus.OK, item)
