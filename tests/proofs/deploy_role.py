"""What the pipeline's roles may do, held against what deploying takes.

The roles that plan and apply deliver to the local AWS, as workflows do. Its CloudFormation asks IAM nothing, so no run
can show what CloudFormation's own role needs. But AWS publishes, for each type of resource, the actions that
CloudFormation calls to make, look at, change and remove it: cfn-lint, which every project installs, has these schemas.
They name whatever any property could take, so two short lists say what differs, and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from projects import TOOLS, Variant, make_project, run_inside

from .delivery import for_prod, rehearse
from .grants import Record, Role, Statement, read_record
from .mutants import survivors

ROLE = "CloudFormationRole"
# Those that the pipeline signs in as.
SIGNED_IN = ("PlanRole", "ApplyRole")
# What the name of their stack ends in (see a project's toolkit/deploy/README.md), and that of the stack they deploy.
PIPELINE, DEPLOYED = "-deploy-prod", "-prod"
DOCS = "https://docs.aws.amazon.com"

# What is granted and not published, with AWS's word for it.
NEEDED_AS_WELL = {
    "cloudformation:CreateChangeSet": f"{DOCS}/AWSCloudFormation/latest/UserGuide/template-macros.html",
    # What may call a function is taken away when its event is, though a pattern has none to begin with.
    **{
        f"lambda:{action}": f"{DOCS}/lambda/latest/api/API_RemovePermission.html"
        for action in ("GetPolicy", "RemovePermission")
    },
    # GetFunction tells tags only to who may list them.
    "lambda:ListTags": f"{DOCS}/lambda/latest/api/API_GetFunction.html",
    # The pipeline's role is the same for all patterns: in some, nothing but a queue or a stream calls functions.
    **{
        f"lambda:{action}": f"{DOCS}/lambda/latest/dg/access-control-resource-based.html"
        for action in ("GetPolicy", "RemovePermission")
    },
    # An API's access log, like a workflow's log, is a delivery.
    **{
        f"logs:{action}": f"{DOCS}/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html"
        for action in ("DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries", "UpdateLogDelivery")
    },
}
# What is published and not granted, by what a resource would have to be for it to be called.
NOT_NEEDED = {
    "encrypted with a key of its own": ("kms:*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey"),
    "in a VPC, with a file system": ("ec2:*", "elasticfilesystem:*", "s3files:*"),
    "a table that is imported, is filled or is read by CloudFormation": (
        "dynamodb:*Item",
        "dynamodb:DescribeImport",
        "dynamodb:ImportTable",
        "dynamodb:Query",
        "dynamodb:Scan",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "s3:GetObjectMetadata",
        "s3:ListBucket",
    ),
    "a table with replicas, insights, or a copy in Kinesis": (
        "dynamodb:*KinesisStreamingDestination",
        "dynamodb:*TableReplica",
        "dynamodb:UpdateContributorInsights",
        "kinesis:*",
    ),
    "with a policy that is a property of the resource": (
        "apigateway:UpdateRestApiPolicy",
        "dynamodb:DeleteResourcePolicy",
        "dynamodb:PutResourcePolicy",
        "logs:DeleteResourcePolicy",
        "logs:PutResourcePolicy",
    ),
    "a function with signed code, layers, or a choice of capacity, recursion or runtime version": (
        "lambda:*CodeSigningConfig",
        "lambda:AssociateRuntimeAlias",
        "lambda:GetLayerVersion",
        "lambda:PassCapacityProvider",
        "lambda:PutFunctionRecursionConfig",
        "lambda:PutFunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig",
    ),
    "a log group or topic that masks data, or a log group with an index, a token, protection or another place": (
        "firehose:TagDeliveryStream",
        "logs:CreateLogDelivery",
        "logs:*DataProtectionPolicy",
        "logs:*IndexPolicy",
        "logs:PutBearerTokenAuthentication",
        "logs:PutLogGroupDeletionProtection",
        "s3:REST.PUT.OBJECT",
        "sns:PutDataProtectionPolicy",
    ),
    "a role with managed policies, a boundary that is taken away, or a policy of a user or group": (
        "iam:AttachRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:DetachRolePolicy",
        "iam:*GroupPolicy",
        "iam:*UserPolicy",
    ),
    "the first of its kind in the account": ("iam:CreateServiceLinkedRole",),
    "a secret that is generated, or has replicas": (
        "secretsmanager:GetRandomPassword",
        "secretsmanager:RemoveRegionsFromReplication",
        "secretsmanager:ReplicateSecretToRegions",
    ),
    "a build in a bucket with versions that the template names": ("s3:GetObjectVersion",),
    "a deployment to machines of one's own": ("codedeploy:RegisterOnPremisesInstance",),
    "a bucket with more than encryption and a life cycle, or with one of these taken away": (
        "s3:*Abac",
        "s3:*Accelerate*",
        "s3:*Acl",
        "s3:*Analytics*",
        "s3:*CORS",
        "s3:*Cors",
        "s3:*IntelligentTiering*",
        "s3:*Inventory*",
        "s3:*Logging",
        "s3:*Metadata*",
        "s3:*Metrics*",
        "s3:*ObjectLock*",
        "s3:*Replication*",
        "s3:*Website",
        "s3:DeleteBucketEncryption",
        "s3:DeleteBucketLifecycle",
        "s3:DeleteObject",
        # Where a bucket has events or versions, MAKING in the project's test_deploy_role.py asks for these.
        "s3:PutBucketNotification",
        "s3:PutBucketVersioning",
        "s3tables:*",
    ),
    "an event bus with a log": ("logs:CreateLogDelivery",),
    "a delivery stream with a key of its own, or one that is written to directly": (
        "firehose:StartDeliveryStreamEncryption",
        "firehose:StopDeliveryStreamEncryption",
    ),
    "a user pool with attributes or second factors of its own, or a client with more than one secret": (
        "cognito-idp:AddCustomAttributes",
        "cognito-idp:ListUserPoolClientSecrets",
        "cognito-idp:SetUserPoolMfaConfig",
    ),
}


def findings(project: Path, deployed: Iterable[str]) -> list[str]:
    """What CloudFormation's role may do without need, and what it needs and may not do.

    `deployed` are the types of the stack's resources, those that SAM makes included.
    """
    granted, published = granted_and_published(project, deployed)
    return [
        *(f"{ROLE}: needless: {action}" for action in sorted(granted - published - NEEDED_AS_WELL.keys())),
        *(f"{ROLE}: missing: {action}" for action in sorted(published - granted) if not reasons_against(action)),
    ]


def deployed_by_pipeline(variant: Variant, folder: Path) -> Record:
    """What the roles that plan and apply are asked for while a release, and then a change, is delivered to prod.

    The project is made in `folder`, which has to be there.

    Raises:
        DeliveryError: a job has failed.
    """
    work = folder / "work"
    # One name for all, so that the same rights are reported as the same: a bucket is named after the project.
    rehearse(make_project(for_prod(variant), folder, "orders"), work, "--prod")
    record = read_record(work / "aws", PIPELINE)
    return replace(
        record,
        stack=record.stack.removesuffix(PIPELINE) + DEPLOYED,
        roles=tuple(role for role in record.roles if role.id in SIGNED_IN),
    )


def pipeline_findings(record: Record) -> list[str]:
    """What is wrong with these roles.

    How wide they are is for a project's toolkit/checks/test_deploy_role.py: buckets, APIs and user pools are not named
    after a stack.
    """
    found = [str(finding) for finding in record.findings if finding.kind != "too wide"]
    return found or [f"nothing tells when {mutant}" for mutant in survivors(record)]


def beyond_boundary(project: Path, record: Record) -> list[str]:
    """Calls of the stack's roles that the boundary, which limits them when the pipeline deploys, would refuse."""
    stated = granted_in(project)["boundary"]
    boundary = Role(
        "Boundary",
        (),
        tuple(Statement(tuple(one["actions"]), tuple(one["resources"]), one["conditions"]) for one in stated),
    )
    roles = [role for role in record.roles if not role.called]
    calls = {record.name(call) for role in roles for call in record.calls_of(role) if not boundary.may(call)}
    return [f"Boundary: refuses {call}" for call in sorted(calls)]


def summary(project: Path, deployed: Iterable[str]) -> str:
    """How much of what AWS publishes the role is granted, and how much beyond."""
    granted, published = granted_and_published(project, deployed)
    return (
        f"CloudFormation's role may call {len(granted)} actions: {len(granted & published)} of the {len(published)} "
        f"that AWS publishes for the stack's types, and {len(granted - published)} more.\n"
    )


def granted_and_published(project: Path, deployed: Iterable[str]) -> tuple[set[str], set[str]]:
    """The actions that the role may call, and those that AWS publishes for the stack's types."""
    found = granted_in(project)
    # Those of the template as well: a resource under a condition need not be deployed here.
    types = set(deployed) | {kind for kind in found["types"] if not kind.startswith("AWS::Serverless::")}
    return set(found["deploying"][ROLE]), {action for kind in types for action in handlers()[kind]}


def granted_in(project: Path) -> dict[str, Any]:
    """What a project's template says of its roles and resources, and what the pipeline's roles may do."""
    found: dict[str, Any] = json.loads(run_inside(project, "proofs.inside.granted"))
    return found


def reasons_against(action: str) -> list[str]:
    """Why an action that AWS publishes is not granted."""
    return [reason for reason, names in NOT_NEEDED.items() if any(fnmatchcase(action, name) for name in names)]


def stale(granted_and_published_everywhere: Iterable[tuple[set[str], set[str]]]) -> list[str]:
    """Entries of the two lists that no pattern needs."""
    pairs = list(granted_and_published_everywhere)
    extra = {action for granted, published in pairs for action in granted - published}
    missing = {action for granted, published in pairs for action in published - granted}
    return [
        *(action for action in NEEDED_AS_WELL if action not in extra),
        *(
            name
            for names in NOT_NEEDED.values()
            for name in names
            if not any(fnmatchcase(action, name) for action in missing)
        ),
    ]


@cache
def handlers() -> Mapping[str, set[str]]:
    """The actions that CloudFormation calls for a resource, by its type; to list all of the account is not one."""
    [folder] = Path(f"{TOOLS}-sam").glob("lib/python*/site-packages/cfnlint/data/schemas/resources")
    return dict(_handlers(folder))


def _handlers(folder: Path) -> Iterator[tuple[str, set[str]]]:
    for path in folder.iterdir():
        schema: dict[str, Any] = json.loads(path.read_bytes())
        called = (handler["permissions"] for name, handler in schema.get("handlers", {}).items() if name != "list")
        yield schema["typeName"], {action for actions in called for action in actions}
