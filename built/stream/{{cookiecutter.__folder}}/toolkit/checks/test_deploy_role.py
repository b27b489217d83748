"""The roles of the pipeline can deploy this stack, and nothing else."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from toolkit.stacks import PROJECT, settings_of
from toolkit.template import (
    ENVIRONMENTS,
    apis,
    as_list,
    functions,
    parameters,
    resources,
    statements_of,
    template,
)

PIPELINE = "toolkit/deploy/pipeline.yaml"
PERMISSIONS = "permissions.yaml"
RESOURCES = {**template(PIPELINE)["Resources"], **template(PERMISSIONS)["Resources"]}
ROLES_OF_STACK = {name: role["Properties"] for name, role in resources("AWS::IAM::Role").items()}
LIMITS = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role")
ISSUER = "token.actions.githubusercontent.com"
# How the stack's name, and that of everything in it, begins in that file.
STACK = (
    settings_of("dev")["global"]["parameters"]["stack_name"].removesuffix("dev") + "${Environment}"
)
MAPPING = (
    "lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping"
    " lambda:UpdateEventSourceMapping"
)
# A rule of EventBridge, on a pattern or a schedule, and the permission to call the function.
RULE = (
    "events:DeleteRule events:PutRule events:PutTargets events:RemoveTargets"
    " lambda:AddPermission lambda:RemovePermission"
)
# The actions that making, changing and removing a resource takes, by its type.
MAKING = {
    "AWS::CloudWatch::Alarm": "cloudwatch:DeleteAlarms cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:DeleteDashboards cloudwatch:PutDashboard",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable dynamodb:DeleteTable dynamodb:UpdateTable"
    " dynamodb:UpdateContinuousBackups dynamodb:UpdateTimeToLive",
    "AWS::IAM::Policy": "iam:DeleteRolePolicy iam:PutRolePolicy",
    "AWS::IAM::Role": "iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy iam:PassRole"
    " iam:PutRolePolicy iam:UpdateAssumeRolePolicy",
    "AWS::Lambda::EventSourceMapping": "lambda:CreateEventSourceMapping"
    " lambda:DeleteEventSourceMapping lambda:UpdateEventSourceMapping",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy",
    "AWS::SNS::Subscription": "sns:Subscribe sns:Unsubscribe",
    "AWS::SNS::Topic": "sns:CreateTopic sns:DeleteTopic sns:SetTopicAttributes",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue sqs:DeleteQueue sqs:SetQueueAttributes",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "AWS::Serverless::Api": "apigateway:DELETE apigateway:PATCH apigateway:POST apigateway:PUT"
    " logs:CreateLogDelivery logs:DeleteLogDelivery logs:UpdateLogDelivery",
    "AWS::Serverless::Function": "lambda:CreateFunction lambda:DeleteFunction"
    " lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:PublishVersion"
    " lambda:CreateAlias lambda:DeleteAlias lambda:UpdateAlias"
    " lambda:DeleteProvisionedConcurrencyConfig lambda:PutProvisionedConcurrencyConfig"
    " codedeploy:CreateApplication codedeploy:DeleteApplication codedeploy:CreateDeployment"
    " codedeploy:CreateDeploymentGroup codedeploy:DeleteDeploymentGroup"
    " codedeploy:StopDeployment codedeploy:UpdateDeploymentGroup",
    # What SAM makes of an event: a mapping, or a permission and what calls the function.
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
    "event Api": "lambda:AddPermission lambda:RemovePermission",
    "event DynamoDB": MAPPING,
    "event EventBridgeRule": RULE,
    "event Kinesis": MAPPING,
    "event S3": "lambda:AddPermission lambda:RemovePermission s3:PutBucketNotification",
    "event SNS": "lambda:AddPermission lambda:RemovePermission sns:Subscribe sns:Unsubscribe",
    "event SQS": MAPPING,
    "event Schedule": RULE,
    "event ScheduleV2": "iam:PassRole scheduler:CreateSchedule scheduler:DeleteSchedule"
    " scheduler:UpdateSchedule",
    "AWS::Kinesis::Stream": "kinesis:CreateStream kinesis:DeleteStream"
    " kinesis:DecreaseStreamRetentionPeriod kinesis:IncreaseStreamRetentionPeriod"
    " kinesis:StartStreamEncryption kinesis:UpdateStreamMode",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:CreateDeliveryStream"
    " firehose:DeleteDeliveryStream firehose:UpdateDestination iam:PassRole",
    "AWS::Logs::LogStream": "logs:CreateLogStream logs:DeleteLogStream",
    "AWS::S3::Bucket": "s3:CreateBucket s3:DeleteBucket s3:PutBucketOwnershipControls"
    " s3:PutBucketPublicAccessBlock s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration",
    "AWS::S3::BucketPolicy": "s3:DeleteBucketPolicy s3:PutBucketPolicy",
}
# Resources without a name of this project, because AWS chooses their ids or lists them all, as
# regular expressions; and the actions that take nothing narrower.
NOT_BY_NAME = {
    r"\*": "codedeploy:StopDeployment"
    " logs:CreateLogDelivery logs:DeleteLogDelivery logs:GetLogDelivery"
    " logs:ListLogDeliveries logs:UpdateLogDelivery"
    " logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies"
    " sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes sns:Unsubscribe"
    " xray:PutTelemetryRecords xray:PutTraceSegments",
    r".*:alarm:\*": "cloudwatch:DescribeAlarms",
    r".*:changeSet/samcli-deploy\*/\*": "cloudformation:TagResource",
    r".*:deploymentconfig:CodeDeployDefault\.\*": "codedeploy:GetDeploymentConfig",
    r".*:execute-api:.*:\*/\w+/[A-Z]+/.+": "execute-api:Invoke",
    r".*:transform/(LanguageExtensions|Serverless-2016-10-31)": "cloudformation:CreateChangeSet",
    r".*::/tags/\*": "apigateway:DELETE apigateway:GET",
}
# The tags of the stack, and the condition keys by which they narrow a statement to it. Which
# actions take which key: docs.aws.amazon.com/service-authorization/latest/reference.
TAGS = {"project": STACK.removesuffix("-${Environment}"), "environment": {"Ref": "Environment"}}
BY_TAGS = {
    "StringEquals": ("aws:ResourceTag", "aws:RequestTag"),
    # Where AWS may make something first and tag it then; never for what is there.
    "StringEqualsIfExists": ("aws:RequestTag",),
}
# Services whose actions on data a role of the stack may one day need: the boundary leaves room.
OF_DATA = {"dynamodb", "events", "firehose", "kinesis", "s3", "sns", "sqs"}


def grants(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role, or of a policy, that allow something."""
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for document in documents:
        yield from (grant for grant in document["Statement"] if grant["Effect"] == "Allow")


def grants_of(name: str) -> list[dict[str, Any]]:
    """The statements of a policy; or of a role, and of the policies that are attached to it."""
    properties = RESOURCES[name]["Properties"]
    attached = [
        policy["Properties"]
        for policy in RESOURCES.values()
        if properties.get("RoleName", "") in policy["Properties"].get("Roles", [])
    ]
    return [grant for one in [properties, *attached] for grant in grants(one)]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in as_list(statement["Action"])}


def is_about_the_stacks_tags(grant: dict[str, Any]) -> bool:
    """Whether a statement is limited to resources with the tags of this project and environment."""
    return any(
        grant.get("Condition", {}).get(operator, {})
        == {f"{key}/{tag}": value for tag, value in TAGS.items()}
        for operator, keys in BY_TAGS.items()
        for key in keys
    )


EVERY_GRANT = [grant for one in RESOURCES.values() for grant in grants(one["Properties"])]


def test_no_action_is_a_wildcard() -> None:
    assert not [action for action in actions(EVERY_GRANT) if "*" in action]


@pytest.mark.parametrize("grant", EVERY_GRANT, ids=lambda grant: grant["Sid"])
def test_everything_allowed_is_about_this_project(grant: dict[str, Any]) -> None:
    for resource in as_list(grant["Resource"]):
        text = resource if isinstance(resource, str) else "".join(resource.values())
        named = STACK in text or any(f"{name}.Arn" in text for name in RESOURCES)
        excused = [taken for kind, taken in NOT_BY_NAME.items() if re.fullmatch(kind, text)]

        assert (
            named
            or STACK in str(grant.get("Condition"))
            or is_about_the_stacks_tags(grant)
            or actions([grant]) <= set(" ".join(excused).split())
        )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_stack_bears_the_tags_that_narrow_the_roles(environment: str) -> None:
    """CloudFormation gives a stack's tags to its resources, and samconfig.toml the stack."""
    settings = settings_of(environment)["deploy"]["parameters"]
    tags = dict(tag.split("=", 1) for tag in settings["tags"])

    assert tags["project"] == TAGS["project"]
    assert tags["environment"] == environment


def test_no_api_is_changed_that_bears_other_tags() -> None:
    changing = [
        grant
        for grant in grants_of("CloudFormationRole")
        if {"apigateway:DELETE", "apigateway:PATCH", "apigateway:PUT"} & actions([grant])
        if "/tags/" not in str(grant["Resource"])
    ]

    for grant in changing:
        assert is_about_the_stacks_tags(grant)
        assert "StringEqualsIfExists" not in grant["Condition"]


def test_each_wildcard_resource_has_its_reason_beside_it() -> None:
    texts = [(PROJECT / name).read_text("utf-8") for name in (PIPELINE, PERMISSIONS)]
    lines = "".join(texts).splitlines()
    wild = [number for number, line in enumerate(lines) if re.search(r"Resource: \W?\*", line)]

    assert len(wild) == sum(grant["Resource"] == "*" for grant in EVERY_GRANT)
    assert not [lines[n] for n in wild if not lines[n - 1].lstrip().startswith("# ")]


@pytest.mark.parametrize(("role", "suffix"), [("PlanRole", "-plan"), ("ApplyRole", "")])
def test_only_main_of_this_repository_signs_in(role: str, suffix: str) -> None:
    (statement,) = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    claims = statement["Condition"]["StringEquals"]

    assert list(statement["Condition"]) == ["StringEquals"], "each claim in full, no pattern"
    assert claims[f"{ISSUER}:aud"] == "sts.amazonaws.com"
    assert claims[f"{ISSUER}:sub"] == {
        "Fn::Sub": "repo:${GitHubSubject}:environment:${Environment}" + suffix
    }
    assert claims[f"{ISSUER}:repository"] == {"Ref": "GitHubRepository"}
    assert claims[f"{ISSUER}:ref"] == "refs/heads/main"


@pytest.mark.parametrize("parameter", ["GitHubSubject", "GitHubRepository"])
@pytest.mark.parametrize("name", ["*", "owner/*", "owner/na?e", "owner", "owner/name:ref", "o/n/m"])
def test_what_names_the_repository_names_one(parameter: str, name: str) -> None:
    pattern = template(PIPELINE)["Parameters"][parameter]["AllowedPattern"]

    assert re.fullmatch(pattern, "Owner-1/na.me")
    assert not re.fullmatch(pattern, name)


def test_who_plans_cannot_apply_and_who_applies_cannot_plan() -> None:
    assert "cloudformation:ExecuteChangeSet" not in actions(grants_of("PlanRole"))
    assert "cloudformation:CreateChangeSet" not in actions(grants_of("ApplyRole"))


def test_what_is_planned_runs_as_cloudformations_role() -> None:
    (planning,) = (grant for grant in grants_of("PlanRole") if grant["Sid"].startswith("PlanWith"))

    assert planning["Condition"]["StringEquals"] == {
        "cloudformation:RoleArn": {"Fn::GetAtt": "CloudFormationRole.Arn"}
    }


def test_roles_are_passed_to_named_services_only() -> None:
    passing = [grant for grant in EVERY_GRANT if "iam:PassRole" in as_list(grant["Action"])]

    assert passing
    assert all(grant["Condition"]["StringEquals"]["iam:PassedToService"] for grant in passing)


def test_no_role_is_made_or_given_rights_without_the_boundary() -> None:
    granting = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"}
    granting |= {"iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"}
    guarded = [grant for grant in EVERY_GRANT if granting & set(as_list(grant["Action"]))]
    boundary = RESOURCES["Boundary"]["Properties"]
    name = boundary["ManagedPolicyName"]["Fn::Sub"]

    assert {"iam:CreateRole", "iam:PutRolePolicy"} <= actions(guarded)
    assert "iam:DeleteRolePermissionsBoundary" not in actions(guarded)
    for grant in guarded:
        [(key, limit)] = grant["Condition"]["StringEquals"].items()
        assert (list(grant["Condition"]), key) == (["StringEquals"], "iam:PermissionsBoundary")
        assert limit["Fn::Sub"].endswith(f":policy{boundary['Path']}{name}")


def test_the_stack_cannot_touch_what_limits_it() -> None:
    reached = {
        arn["Fn::Sub"].split(":role/")[1]
        for grant in grants_of("CloudFormationRole")
        if any(action.startswith("iam:") for action in as_list(grant["Action"]))
        for arn in as_list(grant["Resource"])
    }

    assert {path.replace("${Environment}", "dev") for path in reached} == {
        settings_of("dev")["global"]["parameters"]["stack_name"] + "/*"
    }
    identities = [one["Properties"] for one in RESOURCES.values() if one["Type"] in LIMITS]
    assert {identity["Path"] for identity in identities} == {"/deploy/"}


@pytest.mark.parametrize("name", ROLES_OF_STACK)
def test_the_pipeline_may_make_each_role_of_the_stack(name: str) -> None:
    assert ROLES_OF_STACK[name]["Path"] == {"Fn::Sub": "/${AWS::StackName}/"}
    assert ROLES_OF_STACK[name]["PermissionsBoundary"] == {
        "Fn::If": [
            "HasPermissionsBoundary",
            {
                "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}"
                ":policy/${PermissionsBoundary}"
            },
            {"Ref": "AWS::NoValue"},
        ]
    }
    assert "ManagedPolicyArns" not in ROLES_OF_STACK[name]


@pytest.mark.parametrize("name", functions())
def test_sam_adds_no_role_without_the_boundary(name: str) -> None:
    function = functions()[name]

    assert "Role" in function
    assert "Role" in function.get("DeploymentPreference", {"Role": "none is needed"})


@pytest.mark.parametrize("name", ROLES_OF_STACK)
def test_the_boundary_leaves_each_role_what_it_needs(name: str) -> None:
    assert actions(statements_of(name)) <= actions(grants_of("Boundary"))


def test_the_boundary_leaves_room_for_more_work_with_data_only() -> None:
    needed = {action for role in ROLES_OF_STACK for action in actions(statements_of(role))}
    spare = actions(grants_of("Boundary")) - needed

    assert {action.partition(":")[0] for action in spare} <= OF_DATA
    assert not spare & actions(grants_of("CloudFormationRole")), "roles work, and make nothing"


def kinds_in_the_stack() -> set[str]:
    events = [e["Type"] for f in functions().values() for e in f.get("Events", {}).values()]
    kinds = {resource["Type"] for resource in template()["Resources"].values()}
    return kinds | {f"event {kind}" for kind in events}


@pytest.mark.parametrize("kind", sorted(kinds_in_the_stack()))
def test_the_pipeline_may_make_change_and_remove_what_the_stack_has(kind: str) -> None:
    needed = set(MAKING.get(kind, "").split())
    assert needed, f"say in MAKING above which actions it takes to make, change and remove: {kind}"

    lacking = sorted(needed - actions(grants_of("CloudFormationRole")))
    assert lacking == [], f"Services in {PERMISSIONS} has to allow them, for: {kind}"


def granted(role: str, action: str) -> list[str]:
    """What an action is granted on; that which Fn::Sub makes up is left in it."""
    return [
        resource["Fn::Sub"]
        for grant in grants_of(role)
        if action in as_list(grant["Action"])
        for resource in as_list(grant["Resource"])
    ]


def test_each_route_that_smoke_tests_may_call_is_one_of_the_stack() -> None:
    stages = {name: api["StageName"] for name, api in apis().items()}
    events = [e for f in functions().values() for e in f.get("Events", {}).values()]
    calls = [event["Properties"] for event in events if event["Type"] == "Api"]
    routes = [
        f"{stages[call['RestApiId']['Ref']]}/{call['Method'].upper()}{call['Path']}"
        for call in calls
    ]

    for arn in granted("PlanRole", "execute-api:Invoke"):
        pattern = arn.partition(":*/")[2]
        assert [route for route in routes if fnmatchcase(route, pattern)], pattern


def test_what_smoke_tests_may_watch_is_in_the_stack() -> None:
    groups = resources("AWS::Logs::LogGroup").values()
    machines = resources("AWS::Serverless::StateMachine").values()
    names = [f"log-group:{group['Properties']['LogGroupName']['Fn::Sub']}:*" for group in groups]
    names += [f"execution:{machine['Properties']['Name']['Fn::Sub']}:*" for machine in machines]
    there = {name.replace("${AWS::StackName}", STACK) for name in names}

    for action in ("logs:FilterLogEvents", "states:DescribeExecution"):
        for arn in granted("PlanRole", action):
            assert arn.partition("${AWS::AccountId}:")[2] in there


def test_smoke_tests_may_do_what_they_do_and_no_more() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in (PROJECT / "tests/smoke").glob("*.py")]
    calls = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)]
    called = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    session = botocore.session.get_session()
    done = {
        f"{service.replace('stepfunctions', 'states')}:{operation}"
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "client"
        for service in [ast.literal_eval(call.args[0])]
        for model in [session.get_service_model(service)]
        for operation in model.operation_names
        # IAM is not asked about calls without a signature, such as those of a user of Cognito's.
        if xform_name(operation) in called and model.operation_model(operation).auth_type != "none"
    }

    # What planning takes, and calls of the API, which no client of an AWS service makes.
    others = ("cloudformation:", "execute-api:", "iam:", "s3:")
    granted = actions(grants_of("PlanRole"))
    assert done <= granted
    assert done >= {action for action in granted if not action.startswith(others)}


def test_nobody_else_gets_at_what_is_deployed() -> None:
    [policy] = (found for found in RESOURCES.values() if found["Type"] == "AWS::S3::BucketPolicy")
    [tls_only] = policy["Properties"]["PolicyDocument"]["Statement"]

    assert RESOURCES["Artifacts"]["Properties"]["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert (tls_only["Effect"], tls_only["Principal"], tls_only["Action"]) == ("Deny", "*", "s3:*")
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert tls_only["Resource"] == [
        {"Fn::GetAtt": "Artifacts.Arn"},
        {"Fn::Sub": "${Artifacts.Arn}/*"},
    ]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_stack_asks_for_the_boundary_that_is_there(env: str) -> None:
    boundary = RESOURCES["Boundary"]["Properties"]
    name = boundary["ManagedPolicyName"]["Fn::Sub"].replace("${Environment}", env)

    assert parameters(env)["PermissionsBoundary"] == f"{boundary['Path'].strip('/')}/{name}"
