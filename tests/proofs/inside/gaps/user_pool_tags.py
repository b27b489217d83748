"""Gap: ministack gives IAM no tags of a Cognito user pool, so a policy that goes by them allows nothing.

AWS does, as `aws:ResourceTag`: https://docs.aws.amazon.com/cognito/latest/developerguide/tagging.html
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import cognito

POOL = "eu-west-1_gap"


def is_needed() -> bool:
    """Whether a pool's tags are still left out."""
    cognito._user_pools[POOL] = {"UserPoolTags": {"project": "gap"}}
    try:
        body = json.dumps({"UserPoolId": POOL}).encode()
        return not iam_actions.request_tag_context("cognito-idp", "cognito-idp:AdminCreateUser", body, {})
    finally:
        del cognito._user_pools[POOL]


def close() -> None:
    """Give the tags of the pool that a request names."""
    stock = iam_actions.request_tag_context

    def with_pool_tags(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = stock(service, action, body, params)
        if action.startswith("cognito-idp:") and body[:1] == b"{":
            pool = cognito._user_pools.get(json.loads(body).get("UserPoolId")) or {}
            tags = pool.get("UserPoolTags", {})
            found |= {f"aws:resourcetag/{name}".lower(): value for name, value in tags.items()}
        return found

    iam_actions.request_tag_context = with_pool_tags
