"""An operator can republish and replay with the rights that docs/runbook.md lists."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.checks.e2e.operators import actions_of, operator, policy_with
from toolkit.commands.events import replay, republish, rule_arn
from toolkit.local_aws.stack import LocalAws
from toolkit.messages import arn_of

REPUBLISHING, REPLAYING = policy_with("dynamodb:Scan"), policy_with("events:StartReplay")


class Ends:
    """An outbox with an event, reports of failures, and an archived bus with a rule."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.name = aws, uuid.uuid4().hex
        sqs, dynamodb, events = (aws.client(name) for name in ("sqs", "dynamodb", "events"))
        self.failures: str = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        sqs.send_message(QueueUrl=self.failures, MessageBody="{}")
        table = dynamodb.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "event_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "event_id", "KeyType": "HASH"}],
        )
        dynamodb.put_item(TableName=self.name, Item={"event_id": {"S": "1"}})
        self.bus: str = events.create_event_bus(Name=self.name)["EventBusArn"]
        self.rule = rule_arn(self.bus, "stack", "Rule")
        events.put_rule(
            Name="stack-Rule", EventBusName=self.name, EventPattern='{"source": ["test"]}'
        )
        self.archive: str = events.create_archive(ArchiveName=self.name, EventSourceArn=self.bus)[
            "ArchiveArn"
        ]
        self.arns = {
            "<OutboxTableArn>": table["TableDescription"]["TableArn"],
            "<PublishFailuresArn>": arn_of(sqs, self.failures),
            "<ArchiveArn>": self.archive,
            "<ReplaysArn>": self.archive.replace(f":archive/{self.name}", ":replay/stack-Rule-*"),
            "<RuleArn>": self.rule,
        }

    def _client(self, policy: str, service: str, without: str) -> Any:
        session = operator(self.aws, policy, self.arns, without)
        return session.client(service, endpoint_url=self.aws.endpoint, verify=self.aws.ca)  # type: ignore[call-overload]

    def republish(self, without: str = "") -> int:
        dynamodb, sqs = (self._client(REPUBLISHING, name, without) for name in ("dynamodb", "sqs"))
        return republish(dynamodb, self.name, sqs, self.failures)

    def replay(self, without: str = "") -> str:
        events, now = self._client(REPLAYING, "events", without), datetime.now(UTC)
        hour = timedelta(hours=1)
        return replay(events, self.archive, self.bus, self.rule, now - hour, now)


@pytest.fixture
def ends(aws: LocalAws) -> Ends:
    return Ends(aws)


def test_the_rights_in_the_runbook_are_enough(ends: Ends) -> None:
    assert ends.republish() == 1
    assert ends.replay().startswith("stack-Rule-")


@pytest.mark.parametrize("action", actions_of(REPUBLISHING))
def test_without_one_of_them_republishing_is_refused(ends: Ends, action: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        ends.republish(without=action)


@pytest.mark.parametrize("action", actions_of(REPLAYING))
def test_without_one_of_them_a_replay_is_refused(ends: Ends, action: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        ends.replay(without=action)
