"""PUT /products/{id}: replaces what is known of a product."""

from dataclasses import dataclass
from http import HTTPStatus

from service.adapters.products.update import update
from service.api import Request, product_response, route
from toolkit.runtime.aws import client
from toolkit.runtime.environment import read_settings
from toolkit.runtime.http import Response
from toolkit.runtime.observability import logger, observed


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
    """Answer 200 with the new version, 412 when the product is not at the version of If-Match."""
    product_id, version, content = request.product_id, request.version_seen, request.content
    product = update(dynamodb, settings.products_table, request.owner, product_id, version, content)
    logger.info("updated", product_id=product.id, version=product.version)
    return product_response(HTTPStatus.OK, product)
