"""What the table is asked, and what its answers mean."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.products.create import create
from service.adapters.products.delete import delete
from service.adapters.products.get import get
from service.adapters.products.page import page
from service.adapters.products.update import update
from service.domain.pages import cursor_after
from service.domain.products import (
    BusyError,
    Content,
    KeyUsedError,
    Product,
    ProductNotFoundError,
    VersionConflictError,
)
from toolkit.runtime.idempotency import KeyReusedError
from toolkit.testing import Trace

ID = "0" * 31 + "1"
TEAPOT = Content("teapot", 2)
KEY = {"owner": {"S": "owner"}, "id": {"S": ID}}
ROW = {**KEY, "version": {"N": "3"}, "name": {"S": "teapot"}, "quantity": {"N": "2"}}
PRODUCT = Product(ID, 3, "teapot", 2)


class Table:
    """Stands in for DynamoDB: keeps what it is asked, and gives one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def __getattr__(self, operation: str) -> Any:
        def ask(**asked: Any) -> Any:
            self.asked = asked
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return ask


class Writer:
    """Stands in for the idempotent writer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: tuple[Any, ...] = ()

    def write_once(self, *asked: Any) -> Any:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refused(code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}, **more}
    return ClientError(response, "operation")


def cancelled(*codes: str) -> ClientError:
    return refused(
        "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
    )


def test_reads_are_strongly_consistent() -> None:
    table: Any = Table({"Item": ROW})

    assert get(table, "products", "owner", ID) == PRODUCT
    assert table.asked == {"TableName": "products", "Key": KEY, "ConsistentRead": True}


def test_missing_product_is_not_found() -> None:
    table: Any = Table({})

    with pytest.raises(ProductNotFoundError):
        get(table, "products", "owner", ID)


def test_page_is_queried_by_key_and_not_by_offset() -> None:
    table: Any = Table({"Items": [ROW] * 8, "LastEvaluatedKey": KEY})

    found = page(table, "products", "owner", after=ID, limit=7)

    assert found.products == [PRODUCT] * 7
    assert found.next_cursor == cursor_after(ID)
    assert table.asked == {
        "TableName": "products",
        "KeyConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": "owner"}},
        "Limit": 8,
        "ExclusiveStartKey": KEY,
    }


@pytest.mark.parametrize("rows", [0, 6, 7], ids=["none", "fewer", "exactly what is left"])
def test_last_page_has_no_cursor(rows: int) -> None:
    table: Any = Table({"Items": [ROW] * rows})

    found = page(table, "products", "owner", after=None, limit=7)

    assert (len(found.products), found.next_cursor) == (rows, None)
    assert "ExclusiveStartKey" not in table.asked


def test_page_that_dynamodb_cut_at_a_megabyte_has_a_cursor() -> None:
    table: Any = Table({"Items": [ROW] * 3, "LastEvaluatedKey": KEY})

    assert page(table, "products", "owner", None, 7).next_cursor == cursor_after(ID)


def test_update_increments_the_version_that_was_read() -> None:
    table: Any = Table({"Attributes": ROW})

    assert update(table, "products", "owner", ID, 2, TEAPOT) == PRODUCT

    assert table.asked["Key"] == KEY
    assert table.asked["ConditionExpression"] == "#version = :seen"
    assert table.asked["ExpressionAttributeNames"]["#version"] == "version"
    assert "#version = #version + :one" in table.asked["UpdateExpression"]
    assert table.asked["ExpressionAttributeValues"] == {
        ":name": {"S": "teapot"},
        ":quantity": {"N": "2"},
        ":seen": {"N": "2"},
        ":one": {"N": "1"},
    }


def test_deletion_requires_the_version_that_was_read() -> None:
    table: Any = Table({})

    delete(table, "products", "owner", ID, 2)

    assert table.asked["Key"] == KEY
    assert table.asked["ConditionExpression"] == "#version = :seen"
    assert table.asked["ExpressionAttributeValues"] == {":seen": {"N": "2"}}


def test_change_of_any_version_requires_the_product_to_exist() -> None:
    table: Any = Table({"Attributes": ROW})

    update(table, "products", "owner", ID, None, TEAPOT)
    assert table.asked["ConditionExpression"] == "attribute_exists(#version)"
    assert ":seen" not in table.asked["ExpressionAttributeValues"]

    delete(table, "products", "owner", ID, None)
    assert table.asked["ConditionExpression"] == "attribute_exists(#version)"
    assert "ExpressionAttributeValues" not in table.asked, "DynamoDB takes no empty map"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (refused("ConditionalCheckFailedException", Item=ROW), VersionConflictError),
        (refused("ConditionalCheckFailedException"), ProductNotFoundError),
        (refused("TransactionConflictException"), BusyError),
        (refused("ThrottlingException"), ClientError),
    ],
    ids=["another version", "no product", "a create of it under way", "throttled"],
)
def test_refused_change_raises_its_error(error: ClientError, meaning: type[Exception]) -> None:
    table: Any = Table(error)

    with pytest.raises(meaning):
        update(table, "products", "owner", ID, 2, TEAPOT)
    assert table.asked["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    with pytest.raises(meaning):
        delete(table, "products", "owner", ID, 2)
    assert table.asked["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


@pytest.mark.parametrize("is_new", [True, False])
def test_create_stores_the_product_and_overwrites_none(is_new: bool) -> None:
    writer: Any = Writer(is_new)

    product, stored_now = create(writer, "products", "owner", "key", TEAPOT, now=1_000)

    assert stored_now is is_new
    assert (product.version, product.name, product.quantity) == (1, "teapot", 2)
    key, content, [effect], now = writer.asked
    assert (key, content, now) == ("owner/key", TEAPOT.to_json(), 1_000)
    assert effect["Put"] == {
        "TableName": "products",
        "Item": {**ROW, "id": {"S": product.id}, "version": {"N": "1"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (KeyReusedError(), KeyUsedError),
        (cancelled("None", "ConditionalCheckFailed"), KeyUsedError),
        (cancelled("TransactionConflict", "None"), BusyError),
        (refused("ThrottlingException"), ClientError),
    ],
    ids=["other content", "longer ago than keys are kept", "the same at this moment", "throttled"],
)
def test_refused_create_raises_its_error(error: Exception, meaning: type[Exception]) -> None:
    writer: Any = Writer(error)

    with pytest.raises(meaning):
        create(writer, "products", "owner", "key", TEAPOT, now=1_000)


def test_every_operation_is_traced(trace: Trace) -> None:
    table: Any = Table({"Item": ROW, "Items": [], "Attributes": ROW})
    writer: Any = Writer(True)

    create(writer, "products", "owner", "key", TEAPOT, now=1_000)
    get(table, "products", "owner", ID)
    page(table, "products", "owner", None, 7)
    update(table, "products", "owner", ID, 2, TEAPOT)
    delete(table, "products", "owner", ID, 3)

    names = ("create", "get", "page", "update", "delete")
    assert trace == {f"## service.adapters.products.{name}.{name}": {} for name in names}
