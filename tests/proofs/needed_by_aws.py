"""What AWS does with a role that the local AWS does not: the rights for it are used, though no run shows it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

DOCS = "https://docs.aws.amazon.com"
CODEDEPLOY = f"{DOCS}/aws-managed-policy/latest/reference/AWSCodeDeployRoleForLambdaLimited.html"
CLOUDFORMATION = f"{DOCS}/service-authorization/latest/reference/list_awscloudformation.html"
SAM = f"{DOCS}/serverless-application-model/latest/developerguide/sam-permissions-cloudformation.html"
SCHEDULER = f"{DOCS}/scheduler/latest/UserGuide/configuring-schedule-dlq.html"
FIREHOSE = f"{DOCS}/firehose/latest/dev/controlling-access.html"
KINESIS_FAILURES = f"{DOCS}/lambda/latest/dg/kinesis-on-failure-destination.html"
STEP_FUNCTIONS_LOGS = f"{DOCS}/step-functions/latest/dg/cw-logs.html"
STEP_FUNCTIONS_TRACES = f"{DOCS}/step-functions/latest/dg/xray-iam.html"


@dataclass(frozen=True)
class Need:
    """An action that AWS needs of a role."""

    # A service, for every role that it acts with; or one role of toolkit/deploy/pipeline.yaml.
    of: str
    action: str
    source: str
    # What comes after the account in the resource, where it is not the stack's own or one of several.
    on: str | None = None

    def is_met_by(self, action: str, resource: str) -> bool:
        """Whether this is about an action on a resource."""
        return action == self.action and fnmatchcase(resource.split(":", 5)[-1], self.on or "*")


NEEDS = (
    # With tracing on, Lambda sends the traces that functions make.
    *(
        Need("lambda.amazonaws.com", f"xray:{action}", f"{DOCS}/lambda/latest/dg/services-xray.html")
        for action in ("PutTelemetryRecords", "PutTraceSegments")
    ),
    # CodeDeploy moves an alias to a new version, and back when an alarm goes off.
    *(
        Need("codedeploy.amazonaws.com", f"lambda:{action}", CODEDEPLOY)
        for action in ("GetAlias", "GetProvisionedConcurrencyConfig", "UpdateAlias")
    ),
    # It lists, and AWS judges a list against all alarms of the account.
    Need("codedeploy.amazonaws.com", "cloudwatch:DescribeAlarms", CODEDEPLOY, on="alarm:*"),
    # Scheduler sends what it cannot deliver to a dead-letter queue.
    Need("scheduler.amazonaws.com", "sqs:SendMessage", SCHEDULER, on="*-ScheduleDeadLetterQueue-*"),
    # Lambda looks for the bucket before it puts what it gives up of a stream there.
    Need("AggregateRole", "s3:ListBucket", KINESIS_FAILURES, on="?*-failures-*[!*]"),
    # Firehose reads a stream, writes to a bucket, in parts where it is much, and logs what fails.
    *(
        Need("firehose.amazonaws.com", action, FIREHOSE)
        for action in (
            "kinesis:DescribeStream",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "logs:PutLogEvents",
        )
    ),
    *(
        Need("firehose.amazonaws.com", f"s3:{action}", FIREHOSE, on="?*-archive-*[!*]")
        for action in ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads")
    ),
    *(
        Need("firehose.amazonaws.com", f"s3:{action}", FIREHOSE, on="?*-archive-*/[*]")
        for action in ("AbortMultipartUpload", "GetObject", "PutObject")
    ),
    # Step Functions has its logs delivered, and sends traces itself.
    *(
        Need("states.amazonaws.com", f"logs:{action}", STEP_FUNCTIONS_LOGS)
        for action in (
            "CreateLogDelivery",
            "DeleteLogDelivery",
            "DescribeLogGroups",
            "DescribeResourcePolicies",
            "GetLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
            "UpdateLogDelivery",
        )
    ),
    *(
        Need("states.amazonaws.com", f"xray:{action}", STEP_FUNCTIONS_TRACES)
        for action in ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")
    ),
    # Who makes a change set expands its transforms, tags it and the stack, and hands CloudFormation its role. The local
    # AWS asks about none of these.
    Need("PlanRole", "cloudformation:CreateChangeSet", SAM, on="transform/LanguageExtensions"),
    Need("PlanRole", "cloudformation:CreateChangeSet", SAM, on="transform/Serverless-2016-10-31"),
    Need("PlanRole", "cloudformation:TagResource", CLOUDFORMATION, on="changeSet/*"),
    Need("PlanRole", "cloudformation:TagResource", CLOUDFORMATION, on="stack/*"),
    Need("PlanRole", "iam:PassRole", f"{DOCS}/IAM/latest/UserGuide/id_roles_use_passrole.html", on="role/deploy/*"),
    # An upload in parts that fails is given up.
    Need(
        "PlanRole", "s3:AbortMultipartUpload", f"{DOCS}/AmazonS3/latest/userguide/mpuoverview.html", on="*-artifacts-*"
    ),
)
