"""Stores surveys, each with its event, and the newest version only."""

from enum import Enum, auto
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from service.domain.surveys import PROCESSED, Survey, SurveyProcessed
from toolkit.runtime.observability import tracer
from toolkit.runtime.transactions import cancellation_reasons, write_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Outcome(Enum):
    """What became of a survey."""

    STORED = auto()
    DUPLICATE = auto()
    OLDER = auto()


class Surveys:
    """The table of surveys, and the outbox of their events."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, outbox: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._outbox = outbox

    @tracer.capture_method(capture_response=False)
    def save(self, survey: Survey, event: SurveyProcessed) -> Outcome:
        """Store a survey and its event, both or neither, unless this version or a newer is there.

        Raises:
            ClientError: DynamoDB could not do it now; nothing was written.
        """
        try:
            write_all(
                self._dynamodb,
                [
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": {
                                "object_key": {"S": survey.object_key},
                                "etag": {"S": survey.etag},
                                "sequencer": {"S": survey.sequencer},
                                "lines": {"N": str(survey.lines)},
                                "total": {"N": str(survey.total)},
                                "event_id": {"S": event.event_id},
                            },
                            "ConditionExpression": (
                                "attribute_not_exists(object_key) OR sequencer < :sequencer"
                            ),
                            "ExpressionAttributeValues": {":sequencer": {"S": survey.sequencer}},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    },
                    {
                        "Put": {
                            "TableName": self._outbox,
                            "Item": {
                                "event_id": {"S": event.event_id},
                                "detail_type": {"S": PROCESSED},
                                "detail": {"S": event.to_json()},
                            },
                        }
                    },
                ],
            )
        except ClientError as error:
            reason = next(iter(cancellation_reasons(error)), {})
            if reason.get("Code") != "ConditionalCheckFailed":
                raise
            there = reason["Item"]["sequencer"]["S"]
            return Outcome.DUPLICATE if there == survey.sequencer else Outcome.OLDER
        return Outcome.STORED
