"""Each route answers its sample event in events/, and says what is wrong with other requests."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.products.page import Page
from service.domain.products import BusyError, Content, KeyUsedError, Product, VersionConflictError
from toolkit.testing import Lines, Measured

EVENTS = Path(__file__).resolve().parents[2] / "events"
ORIGIN = "https://www.example.com"
ID = "0" * 31 + "1"
PRODUCT = Product(ID, 1, "teapot", 2)
# Who sends the sample events.
# {% if cookiecutter.authentication == "IAM" %}
OWNER = "arn:aws:sts::123456789012:assumed-role/caller"
# {% elif cookiecutter.authentication == "JWT" %}
OWNER = "00000000-0000-0000-0000-00000000000a"
# {% else %}
OWNER = "everybody"
# {% endif %}
BODY = {"id": ID, "version": 1, "name": "teapot", "quantity": 2}
# What each handler does with the table, by the name that it has there.
OPERATIONS = ("create", "get", "page", "update", "delete")
Load = Callable[..., ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Imports a handler; its operation on the table gives one answer and keeps what it is asked."""
    for name in ("ALLOWED_ORIGIN", "PRODUCTS_TABLE", "IDEMPOTENCY_TABLE"):
        monkeypatch.setenv(name, ORIGIN if name == "ALLOWED_ORIGIN" else name.lower())
    monkeypatch.setenv("IDEMPOTENCY_DAYS", "7")

    def _load(name: str, answer: Any) -> ModuleType:
        module = importlib.import_module(f"service.handlers.{name}")
        [operation] = [found for found in OPERATIONS if hasattr(module, found)]

        def operate(*asked: Any) -> Any:
            monkeypatch.setattr(module, "asked", asked, raising=False)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(module, operation, operate)
        return module

    return _load


def sample(name: str, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event | changes


def headers_of(name: str, **changes: str) -> dict[str, str]:
    """The headers of a sample event, some of them other than there; an empty one is left out."""
    headers = sample(name)["headers"]
    headers |= {changed.replace("_", "-"): value for changed, value in changes.items()}
    return {name: value for name, value in headers.items() if value}


def test_every_function_has_a_sample_event() -> None:
    handlers = EVENTS.parent / "src" / "service" / "handlers"

    assert {path.stem for path in EVENTS.iterdir()} == {
        path.stem for path in handlers.glob("*.py") if path.stem != "__init__"
    }


@pytest.mark.parametrize("is_new", [True, False], ids=["now", "before"])
def test_repeated_create_gets_the_same_answer(
    load: Load, context: Any, measured: Measured, is_new: bool
) -> None:
    create = load("create_product", (PRODUCT, is_new))

    response = create.handler(sample("create_product"), context)

    assert response["statusCode"] == 201
    assert json.loads(response["body"]) == BODY
    assert response["headers"]["ETag"] == '"1"'
    assert response["headers"]["Location"] == f"products/{ID}"
    _, table, owner, key, content, _ = create.asked
    assert (table, owner, key) == ("products_table", OWNER, "00000000-0000-0000-0000-000000000001")
    assert content == Content("teapot", 2)
    assert measured() == {"Created" if is_new else "RepeatedCreates": 1}


def test_a_product_is_read(load: Load, context: Any) -> None:
    get = load("get_product", PRODUCT)

    response = get.handler(sample("get_product"), context)

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == BODY
    assert response["headers"]["ETag"] == '"1"'
    assert get.asked[1:] == ("products_table", OWNER, ID)


def test_a_page_is_read(load: Load, context: Any) -> None:
    page = load("list_products", Page([PRODUCT], "next"))

    response = page.handler(sample("list_products"), context)

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == {"products": [BODY], "next_cursor": "next"}
    assert page.asked[1:] == ("products_table", OWNER, ID, 10)


def test_a_product_is_changed(load: Load, context: Any) -> None:
    update = load("update_product", Product(ID, 2, "teapot", 1))

    response = update.handler(sample("update_product"), context)

    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == {**BODY, "version": 2, "quantity": 1}
    assert response["headers"]["ETag"] == '"2"'
    assert update.asked[1:] == ("products_table", OWNER, ID, 1, Content("teapot", 1))


def test_a_product_is_deleted(load: Load, context: Any) -> None:
    delete = load("delete_product", None)

    response = delete.handler(sample("delete_product"), context)

    assert (response["statusCode"], response["body"]) == (204, "")
    assert delete.asked[1:] == ("products_table", OWNER, ID, 1)


@pytest.mark.parametrize("name", ["update_product", "delete_product"])
def test_if_match_star_means_any_version(load: Load, context: Any, name: str) -> None:
    module = load(name, PRODUCT)

    module.handler(sample(name, headers=headers_of(name, If_Match="*")), context)

    assert module.asked[4] is None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "create_product",
            {"headers": headers_of("create_product", Owner="other", X_Owner="other")},
        ),
        ("list_products", {"queryStringParameters": {"owner": "other"}}),
        ("get_product", {"pathParameters": {"id": ID, "owner": "other"}}),
    ],
)
def test_request_content_cannot_change_the_owner(
    load: Load, context: Any, name: str, changes: dict[str, Any]
) -> None:
    answer = {
        "create_product": (PRODUCT, True),
        "list_products": Page([], None),
        "get_product": PRODUCT,
    }[name]
    module = load(name, answer)

    module.handler(sample(name, **changes), context)

    assert module.asked[2] == OWNER


@pytest.mark.parametrize(
    ("name", "changes", "status"),
    [
        ("create_product", {"headers": None}, 400),
        (
            "create_product",
            {"headers": headers_of("create_product", Idempotency_Key="x" * 65)},
            400,
        ),
        ("create_product", {"body": "no JSON"}, 400),
        ("create_product", {"body": None}, 400),
        ("create_product", {"body": "x" * 8_193}, 413),
        ("create_product", {"body": "é" * 4_097}, 413),
        ("get_product", {"pathParameters": {"id": "no id"}}, 404),
        ("list_products", {"queryStringParameters": {"cursor": "forged"}}, 400),
        ("list_products", {"queryStringParameters": {"limit": "0"}}, 400),
        ("update_product", {"headers": headers_of("update_product", If_Match="")}, 428),
        ("update_product", {"headers": headers_of("update_product", If_Match="1")}, 400),
        ("update_product", {"headers": headers_of("update_product", If_Match='*, "1"')}, 400),
        ("update_product", {"body": "[]"}, 400),
        ("delete_product", {"headers": headers_of("delete_product", If_Match="")}, 428),
    ],
)
def test_invalid_request_is_refused_before_the_table_is_read(
    load: Load, context: Any, name: str, changes: dict[str, Any], status: int
) -> None:
    module = load(name, AssertionError("the table was asked"))

    response = module.handler(sample(name, **changes), context)

    assert response["statusCode"] == status
    assert response["headers"]["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "error", "status"),
    [
        ("create_product", KeyUsedError(), 422),
        ("create_product", BusyError(), 409),
        ("update_product", VersionConflictError(), 412),
        ("delete_product", VersionConflictError(), 412),
    ],
)
def test_errors_become_problem_details(
    load: Load, context: Any, name: str, error: Exception, status: int
) -> None:
    response = load(name, error).handler(sample(name), context)

    assert response["statusCode"] == status
    assert json.loads(response["body"])["status"] == status


@pytest.mark.parametrize(
    "name", ["create_product", "get_product", "list_products", "update_product"]
)
def test_throttled_table_gets_503_with_retry_after(
    load: Load, context: Any, measured: Measured, name: str
) -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "operation")

    response = load(name, throttled).handler(sample(name), context)

    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) > 0
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert measured() == {"Unavailable": 1}


def test_conflicts_are_counted(load: Load, context: Any, measured: Measured) -> None:
    load("update_product", VersionConflictError()).handler(sample("update_product"), context)

    assert measured() == {"VersionConflicts": 1}


@pytest.mark.parametrize(
    "error",
    [ValueError(), ClientError({"Error": {"Code": "AccessDeniedException"}}, "operation")],
    ids=str,
)
def test_other_errors_are_raised_for_the_alarm(load: Load, context: Any, error: Exception) -> None:
    with pytest.raises(type(error)):
        load("get_product", error).handler(sample("get_product"), context)


@pytest.mark.parametrize("error", [None, VersionConflictError()], ids=["done", "refused"])
def test_web_pages_of_the_allowed_origin_may_read_every_answer(
    load: Load, context: Any, error: Exception | None
) -> None:
    response = load("delete_product", error).handler(sample("delete_product"), context)

    assert response["headers"]["Access-Control-Allow-Origin"] == ORIGIN
    assert response["headers"]["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After"


@pytest.mark.parametrize("body", ['{"name": "marked", "quantity": 2}', '{"name": "marked"}'])
def test_log_has_the_id_and_not_the_content(
    load: Load, context: Any, lines: Lines, body: str
) -> None:
    module = load("create_product", (PRODUCT, True))

    module.handler(sample("create_product", body=body), context)

    assert "sample" in {line.get("correlation_id") for line in lines()}
    assert OWNER in {line.get("owner") for line in lines()}
    assert "marked" not in str(lines())
