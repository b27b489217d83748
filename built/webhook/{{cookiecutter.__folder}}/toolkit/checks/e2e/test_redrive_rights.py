"""An operator can redrive with the rights that docs/runbook.md lists, and not with one less."""

import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.checks.e2e.operators import actions_of, operator, policy_with
from toolkit.commands import dead_letters
from toolkit.commands.dead_letters import cancel, discard, redrive, show
from toolkit.local_aws.stack import LocalAws
from toolkit.messages import arn_of, visible

POLICY = policy_with("StartMessageMoveTask")


class Queues:
    """A queue and its dead-letter queue, without a worker."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.sqs = aws.client("sqs")
        self.dead_letters, dead_letters_arn = self._made({})
        redrive_policy = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": 3}
        self.queue, queue_arn = self._made({"RedrivePolicy": json.dumps(redrive_policy)})
        self.arns = {"<DeadLetterQueueArn>": dead_letters_arn, "<QueueArn>": queue_arn}

    def _made(self, attributes: dict[str, str]) -> tuple[str, str]:
        name = uuid.uuid4().hex
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, arn_of(self.sqs, url)

    def as_operator(self, without: str = "") -> Any:
        """SQS for an operator with the runbook's permissions, without one of them."""
        session = operator(self.aws, POLICY, self.arns, without)
        return session.client("sqs", endpoint_url=self.aws.endpoint, verify=self.aws.ca)


@pytest.fixture
def queues(aws: LocalAws) -> Queues:
    queues = Queues(aws)
    for number in range(3):
        queues.sqs.send_message(QueueUrl=queues.dead_letters, MessageBody=f"body {number}")
    return queues


def do_all(queues: Queues, sqs: Any) -> None:
    """Everything that the commands do."""
    assert show(sqs, queues.dead_letters) == 3
    assert redrive(sqs, queues.dead_letters, queues.queue, rate=100, pause=0.01) == 3
    sent = queues.sqs.send_message(QueueUrl=queues.dead_letters, MessageBody="poison")
    assert discard(sqs, queues.dead_letters, sent["MessageId"])
    for _ in range(10):
        queues.sqs.send_message(QueueUrl=queues.dead_letters, MessageBody="slow")
    source, destination = queues.arns.values()
    sqs.start_message_move_task(
        SourceArn=source, DestinationArn=destination, MaxNumberOfMessagesPerSecond=1
    )
    assert cancel(sqs, queues.dead_letters) == 1


def test_the_rights_in_the_runbook_are_enough(queues: Queues) -> None:
    do_all(queues, queues.as_operator())


# Each is needed by a call of its own, or by SQS when it moves messages.
@pytest.mark.parametrize("action", actions_of(POLICY))
def test_without_one_of_them_a_command_is_refused(queues: Queues, action: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        do_all(queues, queues.as_operator(without=action))


def test_what_another_service_could_not_deliver_goes_back(queues: Queues) -> None:
    """Its dead-letter queue belongs to no queue, so SQS does not move its messages by itself."""
    alone, arn = queues._made({})
    queues.sqs.send_message(QueueUrl=alone, MessageBody="undelivered")
    queues.arns["<DeadLetterQueueArn>"] = arn

    assert redrive(queues.as_operator(), alone, queues.queue, rate=100) == 1

    assert visible(queues.sqs, alone) == 0
    assert visible(queues.sqs, queues.queue) == 1


def test_a_redrive_that_is_interrupted_loses_nothing(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    sqs, (source, _) = queues.sqs, queues.arns.values()

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dead_letters, "time", SimpleNamespace(sleep=interrupt))

    with pytest.raises(SystemExit, match=r"Cancelled: about [01] of 3 were sent back"):
        redrive(sqs, queues.dead_letters, queues.queue, rate=1)

    def ended() -> bool:
        [task] = sqs.list_message_move_tasks(SourceArn=source)["Results"]
        return bool(task["Status"] == "CANCELLED")

    assert eventually(ended)
    assert visible(sqs, queues.dead_letters) >= 1
    assert visible(sqs, queues.dead_letters) + visible(sqs, queues.queue) == 3


def test_the_local_sqs_refuses_what_aws_refuses(queues: Queues) -> None:
    """As recorded from AWS in localstack, tests/aws/services/sqs/test_sqs_move_task.py."""
    sqs = queues.sqs
    source, destination = queues.arns.values()

    with pytest.raises(ClientError, match=r"InvalidParameterValue.*configured as a Dead Letter"):
        sqs.start_message_move_task(SourceArn=destination, DestinationArn=source)
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*DestinationArn"):
        sqs.start_message_move_task(SourceArn=source, DestinationArn=f"{destination}-x")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        sqs.start_message_move_task(
            SourceArn=source, DestinationArn=destination, MaxNumberOfMessagesPerSecond=501
        )
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*TaskHandle"):
        sqs.cancel_message_move_task(TaskHandle="none")
    sqs.start_message_move_task(
        SourceArn=source, DestinationArn=destination, MaxNumberOfMessagesPerSecond=1
    )
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*already a task running"):
        sqs.start_message_move_task(SourceArn=source, DestinationArn=destination)
    cancel(sqs, queues.dead_letters)


def test_the_local_sqs_does_not_know_where_a_message_belongs_that_it_did_not_move(
    queues: Queues, eventually: Any
) -> None:
    """AWS's guide to SQS, "Troubleshoot dead-letter queue redrive issues"."""
    source, _ = queues.arns.values()
    queues.sqs.start_message_move_task(SourceArn=source)

    def failed() -> Any:
        [task] = queues.sqs.list_message_move_tasks(SourceArn=source)["Results"]
        return task["Status"] == "FAILED" and task

    assert eventually(failed)["FailureReason"] == "CouldNotDetermineMessageSource"
