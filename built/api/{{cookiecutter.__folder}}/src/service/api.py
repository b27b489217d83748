"""Shared by all routes: reading requests, and answers for errors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from service.domain.pages import InvalidPageError
from service.domain.products import (
    BusyError,
    Content,
    KeyUsedError,
    Product,
    ProductNotFoundError,
    VersionConflictError,
    is_product_id,
    parse_content,
)
from toolkit.runtime import http
from toolkit.runtime.aws import is_transient
from toolkit.runtime.fields import InvalidFieldsError
from toolkit.runtime.observability import MetricUnit, logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LARGEST_BODY_BYTES = 8_192
# Long enough for a burst to pass.
RETRY_AFTER_SECONDS = 5
_ETAG = re.compile(r'"([1-9][0-9]{0,8})"')
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class RefusedError(Exception):
    """The request cannot be carried out as it is."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Request:
    """An API Gateway event: all but the owner comes from outside."""

    owner: str
    headers: Mapping[str, str]
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: str | None

    @property
    def product_id(self) -> str:
        """The product that the path names."""
        if not is_product_id(self.path["id"]):
            raise ProductNotFoundError
        return self.path["id"]

    @property
    def content(self) -> Content:
        """The product's fields in the body."""
        if self.body and len(self.body.encode("utf-8", "surrogatepass")) > LARGEST_BODY_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body must not be larger than {LARGEST_BODY_BYTES} bytes.",
            )
        return parse_content(self.body)

    @property
    def version_seen(self) -> int | None:
        """The version that the caller wants to change, from If-Match; None for any version.

        RFC 9110, 13.1.1: `*` is any current version.
        """
        given = self.headers.get("if-match")
        if given is None:
            raise RefusedError(
                HTTPStatus.PRECONDITION_REQUIRED,
                "If-Match must be the ETag of the product that you want to change.",
            )
        if given.strip() == "*":
            return None
        found = _ETAG.fullmatch(given)
        if found is None:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, 'If-Match must be the ETag of a product, such as "1", or *.'
            )
        return int(found[1])

    @property
    def idempotency_key(self) -> str:
        """The key that makes two requests the same one."""
        given = self.headers.get("idempotency-key", "")
        if not _KEY.fullmatch(given):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                "Idempotency-Key must be 16 to 64 letters, digits, hyphens or underscores,"
                " such as a UUID: a new one for each product, the same one when you try again.",
            )
        return given


Answer = Callable[[Request], http.Response]
Handler = Callable[[dict[str, Any], "LambdaContext"], http.Response]


def route(allowed_origin: str) -> Callable[[Answer], Handler]:
    """Make a handler of a function that answers requests.

    Callers' errors and temporary errors of dependencies become problem details. Any other error is
    raised: API Gateway answers 502 without details, and an alarm fires.
    """

    def decorate(answer: Answer) -> Handler:
        @wraps(answer)
        def handler(event: dict[str, Any], _: "LambdaContext") -> http.Response:
            logger.set_correlation_id(http.correlation_id(event))
            response = _answer_or_problem(answer, event)
            response["headers"] |= {
                "Access-Control-Allow-Origin": allowed_origin,
                "Access-Control-Expose-Headers": "ETag, Location, Retry-After",
            }
            return response

        return handler

    return decorate


def owner_of(event: dict[str, Any]) -> str:
    """The owner of the products in a request: the authenticated caller, nothing that it sends.

    Fails if API Gateway does not name the caller: there is no default owner.
    """
{% if cookiecutter.authentication == "IAM" %}    return http.caller_of(event)
{% elif cookiecutter.authentication == "JWT" %}    # `sub` stays the same for a user, and is never given to another one.
    owner: str = event["requestContext"]["authorizer"]["claims"]["sub"]
    return owner
{% else %}    del event  # Callers are not authenticated, so all of them share all products.
    return "everybody"
{% endif %}

def product_response(status: HTTPStatus, product: Product) -> http.Response:
    """A product, with its version as the ETag that a change has to name."""
    response = http.json_response(status, to_builtins(product))
    response["headers"]["ETag"] = f'"{product.version}"'
    return response


def _answer_or_problem(answer: Answer, event: dict[str, Any]) -> http.Response:
    headers = event.get("headers") or {}
    request = Request(
        owner=owner_of(event),
        headers={name.lower(): value for name, value in headers.items()},
        path=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        body=event.get("body"),
    )
    logger.append_keys(owner=request.owner)
    try:
        return answer(request)
    except InvalidFieldsError as error:
        logger.info("invalid request", problems=error.problems)
        return http.problem(HTTPStatus.BAD_REQUEST, "The product is invalid.", error.problems)
    except InvalidPageError as error:
        return http.problem(HTTPStatus.BAD_REQUEST, f"The page is invalid: {error}.")
    except RefusedError as error:
        return http.problem(error.status, error.detail)
    except ProductNotFoundError:
        return http.problem(HTTPStatus.NOT_FOUND, "There is no such product.")
    except VersionConflictError:
        logger.info("version conflict")
        metrics.add_metric("VersionConflicts", MetricUnit.Count, 1)
        detail = "The product has changed since you read it: read it again, then decide."
        return http.problem(HTTPStatus.PRECONDITION_FAILED, detail)
    except KeyUsedError:
        detail = "This Idempotency-Key was used before, for a different product."
        return http.problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    except BusyError:
        detail = "The same request is being processed: send it again."
        return http.problem(HTTPStatus.CONFLICT, detail)
    except Exception as error:
        if not is_transient(error):
            raise
        logger.warning("unavailable", exc_info=error)
        metrics.add_metric("Unavailable", MetricUnit.Count, 1)
        return http.unavailable(RETRY_AFTER_SECONDS)
