"""Gap: ministack asks itself over plain HTTP for the keys that tokens are signed with.

Closed: it asks itself without a request, since the local AWS speaks TLS only.
"""

import asyncio
import json
from typing import Any

from ministack.services import apigateway, apigateway_v1, cognito

AUTHORIZER = {"jwtConfiguration": {"issuer": "https://cognito-idp.eu-west-1.amazonaws.com/pool"}}


def is_needed() -> bool:
    url = asyncio.run(apigateway._resolve_jwks_url(AUTHORIZER))
    return bool(url.startswith("http://"))


def close() -> None:
    async def keys_of_pool(url: str) -> Any:
        """An authorizer of a REST API takes the tokens of user pools only."""
        pool = url.removesuffix("/.well-known/jwks.json").rpartition("/")[2]
        _, _, body = cognito.well_known_jwks(pool)
        return json.loads(body)

    apigateway_v1._fetch_jwks = keys_of_pool
