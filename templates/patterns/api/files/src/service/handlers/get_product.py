"""GET /products/{id}: answers with a product."""

from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.products.get import get
from service.api import Request, product_response, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
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
    """Answer 200 with the product, or 404."""
    product = get(dynamodb, settings.products_table, request.owner, request.product_id)
    return product_response(HTTPStatus.OK, product)
