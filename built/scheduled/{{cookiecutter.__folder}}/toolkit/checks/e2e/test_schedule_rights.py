"""An operator can run, pause and resume with the rights that docs/runbook.md lists."""

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from toolkit.checks.e2e.operators import actions_of, operator, policy_with
from toolkit.commands.schedule import run_now, set_state
from toolkit.local_aws.stack import LocalAws
from toolkit.messages import arn_of

POLICY = policy_with("scheduler:UpdateSchedule")
# Only AWS asks who may hand a role to Scheduler.
NOT_ASKED = {"iam:PassRole"}


class Scheduled:
    """A schedule and its queue, without a worker."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        sqs, name = aws.client("sqs"), uuid.uuid4().hex
        self.queue: str = sqs.create_queue(QueueName=name)["QueueUrl"]
        role = "arn:aws:iam::123456789012:role/schedule"
        aws.client("scheduler").create_schedule_group(Name=name)
        self.arn: str = aws.client("scheduler").create_schedule(
            Name="runs",
            GroupName=name,
            ScheduleExpression="rate(365 days)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn_of(sqs, self.queue), "RoleArn": role},
        )["ScheduleArn"]
        self.arns = {
            "<ScheduleArn>": self.arn,
            "<ScheduleRoleArn>": role,
            "<QueueArn>": arn_of(sqs, self.queue),
        }

    def do_all(self, *, without: str = "") -> None:
        """Everything that the commands do, with the rights of the runbook, but for one."""
        session = operator(self.aws, POLICY, self.arns, without)
        scheduler: Any
        sqs: Any
        scheduler, sqs = (
            session.client(service, endpoint_url=self.aws.endpoint, verify=self.aws.ca)
            for service in ("scheduler", "sqs")
        )
        run_now(sqs, self.queue, self.arn, "2026-01-01T02:00:00Z")
        assert set_state(scheduler, self.arn, "DISABLED") == "ENABLED"
        assert set_state(scheduler, self.arn, "ENABLED") == "DISABLED"


@pytest.fixture
def scheduled(aws: LocalAws) -> Scheduled:
    return Scheduled(aws)


def test_the_rights_in_the_runbook_are_enough(scheduled: Scheduled) -> None:
    scheduled.do_all()


@pytest.mark.parametrize("action", sorted(set(actions_of(POLICY)) - NOT_ASKED))
def test_without_one_of_them_a_command_is_refused(scheduled: Scheduled, action: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        scheduled.do_all(without=action)

    assert refused.value.operation_name == action.partition(":")[2]
