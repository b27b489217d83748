"""Gap: of an OIDC token's claims, ministack gives a role's trust policy `aud`, `sub` and `amr` only.

AWS gives those of GitHub's tokens that `toolkit/deploy/pipeline.yaml` asks about as well, and knows no provider that
was not made:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import cognito, iam, sts

GITHUB = ("aud", "sub", "repository", "repository_id", "repository_owner", "ref", "environment", "job_workflow_ref")


def is_needed() -> bool:
    """Whether a claim of GitHub's is still left out."""
    known = cognito._decode_id_token_unverified
    cognito._decode_id_token_unverified = lambda _: {"iss": "https://example.com", "ref": "main"}
    try:
        _, keys = sts._web_identity_principal("token", "", "arn:aws:iam::123456789012:role/one")
    finally:
        cognito._decode_id_token_unverified = known
    return "example.com:ref" not in keys


def close() -> None:
    """Give all claims that AWS documents for GitHub, and none of a provider that is not there."""
    stock = sts._web_identity_principal

    def principal(token: str, provider_id: str, role_arn: str) -> tuple[str, dict[str, Any]]:
        arn, keys = stock(token, provider_id, role_arn)
        claims = cognito._decode_id_token_unverified(token)
        host = arn.partition("oidc-provider/")[2]
        provider = iam._oidc_providers.get(arn)
        if provider is None or claims.get("aud") not in provider["ClientIDList"]:
            return "unknown-provider", {}
        return arn, keys | {f"{host}:{name}": claims[name] for name in GITHUB if name in claims}

    sts._web_identity_principal = principal
