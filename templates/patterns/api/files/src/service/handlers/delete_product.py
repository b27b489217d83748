"""DELETE /products/{id}: removes a product."""

from dataclasses import dataclass

from service.adapters.products.delete import delete
from service.api import Request, route
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
    """Answer 204, or 412 when the product is not at the version of If-Match."""
    product_id, version = request.product_id, request.version_seen
    delete(dynamodb, settings.products_table, request.owner, product_id, version)
    logger.info("deleted", product_id=product_id)
    return {"statusCode": 204, "headers": {}, "body": ""}
