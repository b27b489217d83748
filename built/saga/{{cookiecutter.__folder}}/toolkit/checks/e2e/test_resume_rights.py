"""An operator can resume with the rights that docs/runbook.md lists, and not with one less."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.checks.e2e.operators import actions_of, operator, policy_with
from toolkit.commands.parked import everyone, of_key, resume, show
from toolkit.local_aws.stack import LocalAws
from toolkit.messages import arn_of, visible

POLICY = policy_with("states:SendTaskSuccess")


class Parked:
    """A queue of parked cases without workflows: AWS checks permissions before tokens."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.sqs = aws.client("sqs")
        self.queue: str = self.sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
        for case_id in ("a", "b"):
            case = {
                "input": {"id": case_id},
                "step": "RefundPayment",
                "error": "KeyError",
                "cause": "why",
                "execution": f"arn:{case_id}-1",
                "task_token": f"token-{case_id}",
            }
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(case))

    def do_all(self, *, without: str = "") -> None:
        """Everything that the commands do, with the rights of the runbook, but for one."""
        arns = {"<ParkedQueueArn>": arn_of(self.sqs, self.queue)}
        session = operator(self.aws, POLICY, arns, without)
        sqs: Any = session.client("sqs", endpoint_url=self.aws.endpoint, verify=self.aws.ca)
        workflows: Any = session.client(
            "stepfunctions", endpoint_url=self.aws.endpoint, verify=self.aws.ca
        )
        assert show(sqs, self.queue) == 2
        resume(sqs, workflows, self.queue, of_key("a"), by_hand=True)
        resume(sqs, workflows, self.queue, everyone)


@pytest.fixture
def parked(aws: LocalAws) -> Parked:
    return Parked(aws)


def test_the_rights_in_the_runbook_are_enough(parked: Parked) -> None:
    parked.do_all()

    assert visible(parked.sqs, parked.queue) == 0


@pytest.mark.parametrize("action", actions_of(POLICY))
def test_without_one_of_them_a_command_is_refused(parked: Parked, action: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        parked.do_all(without=action)

    assert refused.value.operation_name.startswith(action.partition(":")[2])
