"""Signs in as an operator, with the rights that docs/runbook.md lists."""

import json
import re
import uuid

import boto3

from toolkit.local_aws.stack import LocalAws
from toolkit.stacks import PROJECT


def policy_with(action: str) -> str:
    """The policy in docs/runbook.md that allows an action; its ARNs are placeholders."""
    runbook = (PROJECT / "docs/runbook.md").read_text("utf-8")
    policies: list[str] = re.findall(r"```json\n(.*?)```", runbook, re.DOTALL)
    [policy] = (policy for policy in policies if action in policy)
    return policy


def actions_of(policy: str) -> list[str]:
    """All actions that a policy allows, each once."""
    return sorted(set(re.findall(r'"([a-z]+:\w+)"', policy)))


def operator(aws: LocalAws, policy: str, arns: dict[str, str], without: str = "") -> boto3.Session:
    """A session of an operator with a policy, without one action.

    Args:
        aws: where the role is made.
        policy: JSON.
        arns: the value of each placeholder in it.
        without: the action that is missing.
    """
    for placeholder, arn in arns.items():
        policy = policy.replace(placeholder, arn)
    if without:
        policy = policy.replace(f'"{without}"', '"sqs:ListQueues"')
    iam, role = aws.client("iam"), uuid.uuid4().hex
    anybody = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="operator", PolicyDocument=policy)
    got = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="night")["Credentials"]
    return boto3.Session(
        got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"], region_name=aws.region
    )
