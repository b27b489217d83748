"""A delivery's id is claimed, given again, or refused; what DynamoDB says decides."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.adapters.received_deliveries import DeliveryIdUsedError, ReceivedDeliveries
from service.domain.deliveries import Delivery
from toolkit.testing import Trace

NOW = 1_000_000
ONE = Delivery("delivery-1", "application/json", "", b"one")
OTHER = Delivery("delivery-1", "application/json", "", b"other")


class DynamoDb:
    """Stands in for DynamoDB: keeps records as the condition says."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.records: dict[str, Any] = {}
        self.error = error

    def put_item(self, **asked: Any) -> None:
        if self.error:
            raise self.error
        assert asked["TableName"] == "records"
        assert asked["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
        assert asked["ConditionExpression"] == (
            "attribute_not_exists(id) OR expires_at < :now"
            " OR (fingerprint = :fingerprint AND progress = :claimed)"
        )
        values, item = asked["ExpressionAttributeValues"], asked["Item"]
        earlier = self.records.get(item["id"]["S"])
        if (
            earlier
            and int(earlier["expires_at"]["N"]) >= int(values[":now"]["N"])
            and (earlier["fingerprint"], earlier["progress"])
            != (values[":fingerprint"], values[":claimed"])
        ):
            response: Any = {
                "Error": {"Code": "ConditionalCheckFailedException"},
                "Item": earlier,
            }
            raise ClientError(response, "PutItem")
        self.records[item["id"]["S"]] = item

    def update_item(self, **asked: Any) -> None:
        assert asked["UpdateExpression"] == "SET progress = :queued"
        record = self.records[asked["Key"]["id"]["S"]]
        record["progress"] = asked["ExpressionAttributeValues"][":queued"]


def received(dynamodb: Any) -> ReceivedDeliveries:
    return ReceivedDeliveries(dynamodb, "records", keep_days=2)


def test_first_delivery_is_claimed_with_its_fingerprint() -> None:
    dynamodb = DynamoDb()

    assert received(dynamodb).claim(ONE, NOW)

    assert dynamodb.records == {
        "received#delivery-1": {
            "id": {"S": "received#delivery-1"},
            "fingerprint": {"S": ONE.fingerprint},
            "progress": {"S": "claimed"},
            "expires_at": {"N": str(NOW + 2 * 86_400)},
        }
    }


def test_claim_is_given_again_until_the_delivery_is_queued() -> None:
    records = received(DynamoDb())

    assert [records.claim(ONE, NOW), records.claim(ONE, NOW)] == [True, True]
    records.queued(ONE)
    assert not records.claim(ONE, NOW)


@pytest.mark.parametrize("is_queued", [False, True])
def test_same_id_with_another_body_is_refused(is_queued: bool) -> None:
    records = received(DynamoDb())
    records.claim(ONE, NOW)
    if is_queued:
        records.queued(ONE)

    with pytest.raises(DeliveryIdUsedError):
        records.claim(OTHER, NOW)


def test_expired_record_is_ignored() -> None:
    records = received(DynamoDb())
    records.claim(ONE, NOW)
    records.queued(ONE)

    assert records.claim(OTHER, NOW + 3 * 86_400)


def test_other_errors_are_raised() -> None:
    error = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    with pytest.raises(ClientError, match="Throttling"):
        received(DynamoDb(error)).claim(ONE, NOW)


def test_recording_is_traced(trace: Trace) -> None:
    records = received(DynamoDb())
    records.claim(ONE, NOW)
    records.queued(ONE)

    prefix = "## service.adapters.received_deliveries.ReceivedDeliveries"
    assert trace == {f"{prefix}.claim": {}, f"{prefix}.queued": {}}
