"""Gap: ministack leaves out what an API's OpenAPI document says of API Gateway's own answers.

Closed: it imports the document's gateway responses.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1

GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"


def is_needed() -> bool:
    document: dict[str, Any] = {"paths": {}, GATEWAY_RESPONSES: {"DEFAULT_4XX": {}}}
    api_id = apigateway_v1._import_rest_api(document, {"name": "gap"})
    try:
        return not apigateway_v1._gateway_responses.get(api_id)
    finally:
        apigateway_v1._delete_rest_api(api_id)


def close() -> None:
    import_api: Callable[..., str] = apigateway_v1._import_rest_api

    def import_whole_api(document: dict[str, Any], *rest: Any) -> str:
        api_id = import_api(document, *rest)
        for kind, response in document.get(GATEWAY_RESPONSES, {}).items():
            apigateway_v1._put_gateway_response(api_id, kind, response)
        return api_id

    apigateway_v1._import_rest_api = import_whole_api
