"""GET /products: answers with a page of the caller's products."""

from dataclasses import dataclass
from http import HTTPStatus

from msgspec import to_builtins

from service.adapters.products.page import page
from service.api import Request, route
from service.domain.pages import parse_cursor, parse_limit
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response, json_response
from toolkit.runtime.observability import observed


@dataclass(frozen=True)
class Settings:
    """Environment variables of this function."""

    allowed_origin: str
    products_table: str


settings = read_settings(Settings)
dynamodb = client("dynamodb")


@observed
@route(settings.allowed_origin)
def handler(request: Request) -> Response:
    """Answer 200 with the products behind the cursor, and the cursor of the next page."""
    after = parse_cursor(request.query.get("cursor"))
    limit = parse_limit(request.query.get("limit"))
    found = page(dynamodb, settings.products_table, request.owner, after, limit)
    return json_response(HTTPStatus.OK, to_builtins(found))
