"""Gap: of an API's OpenAPI document, ministack imports the functions' routes only.

Closed: it imports methods for all other methods, and the answers of mock integrations.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1

ANY = "x-amazon-apigateway-any-method"


def is_needed() -> bool:
    api_id = apigateway_v1._import_rest_api({"paths": {"/path": {ANY: {}}}}, {"name": "gap"})
    try:
        found = apigateway_v1._resources[api_id].values()
        return not any("ANY" in resource["resourceMethods"] for resource in found)
    finally:
        apigateway_v1._delete_rest_api(api_id)


def close() -> None:
    import_path: Callable[..., None] = apigateway_v1._import_path_item
    import_operation: Callable[..., None] = apigateway_v1._import_operation

    def import_whole_path(api_id: str, path: str, item: dict[str, Any], *rest: Any) -> None:
        import_path(api_id, path, item, *rest)
        if ANY in item:
            [resource] = (r for r in apigateway_v1._resources[api_id].values() if r["path"] == path)
            apigateway_v1._import_operation(api_id, resource["id"], "ANY", item[ANY], *rest)

    def import_whole_operation(
        api_id: str, resource: str, method: str, operation: dict[str, Any], *rest: Any
    ) -> None:
        import_operation(api_id, resource, method, operation, *rest)
        integration = operation.get("x-amazon-apigateway-integration", {})
        if integration.get("type") != "mock":
            return
        apigateway_v1._put_integration(api_id, resource, method, {**integration, "type": "MOCK"})
        for response in integration["responses"].values():
            apigateway_v1._put_integration_response(
                api_id, resource, method, response["statusCode"], response
            )

    apigateway_v1._import_path_item = import_whole_path
    apigateway_v1._import_operation = import_whole_operation
