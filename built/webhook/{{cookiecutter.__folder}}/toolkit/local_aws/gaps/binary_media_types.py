"""Gap: ministack takes a binary media type of a template as it is written there.

Closed: `~1` stands for the slash, as on AWS: "Use ~1 instead of / in the media types".
docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1


def is_needed() -> bool:
    return not apigateway_v1._media_type_matches("image/png", ["*~1*"])


def close() -> None:
    matches: Callable[..., bool] = apigateway_v1._media_type_matches

    def matches_escaped(media_type: Any, patterns: list[str] | None) -> bool:
        return matches(media_type, [text.replace("~1", "/") for text in patterns or []])

    apigateway_v1._media_type_matches = matches_escaped
