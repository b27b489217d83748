"""Each role has the permissions that its code needs, and no others."""

from typing import Any

import pytest

from toolkit.template import (
    as_list,
    calls_of,
    functions,
    grants_to,
    lasting_statements_of,
    log_group_of,
    named,
    resources,
    retiring_rights,
    role_of,
    short_name,
    statements,
    statements_of,
    template,
    the_one,
)

FUNCTIONS = [pytest.param(function, id=name) for name, function in functions().items()]
ROLES = resources("AWS::IAM::Role")
# What Lambda does with a function's role, by the type of the function's event.
POLLING = {
    "DynamoDB": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    "Kinesis": {"DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator"},
    "SQS": {"DeleteMessage", "GetQueueAttributes", "ReceiveMessage"},
}
# What Lambda does with it to report records that it gave up, by the type of the destination:
# docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
REPORTING = {
    "AWS::S3::Bucket": {"s3:ListBucket", "s3:PutObject"},
    "AWS::SQS::Queue": {"sqs:SendMessage"},
}
# What has a policy of its own: the type of that policy, and where it names what it is for.
OWN_POLICIES = {
    "AWS::Events::EventBus": ("AWS::Events::EventBusPolicy", "EventBusName"),
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues"),
}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACING = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# What AWS lets no policy narrow to some resources, or judges against all of the account.
NOT_BY_NAME = TRACING | {
    "cloudwatch:DescribeAlarms",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}


def polled_by(function: dict[str, Any]) -> set[str]:
    return {
        f"{event['Type'].lower()}:{action}"
        for event in function.get("Events", {}).values()
        for action in POLLING.get(event["Type"], set())
    }


def reported_to(function: dict[str, Any]) -> dict[str, set[str]]:
    """Where Lambda reports, with the function's role, which records it gave up; and how."""
    destinations = [
        event["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
        for event in function.get("Events", {}).values()
        if "DestinationConfig" in event["Properties"]
    ]
    return {
        name: REPORTING[template()["Resources"][name]["Type"]]
        for destination in destinations
        for name in named(destination)
    }


def lasting(function: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a function's role, less what is retiring."""
    return lasting_statements_of(role_of(function))


def reached(function: dict[str, Any], actions: set[str]) -> set[str]:
    """Logical ids of what a function's role may do some of these actions with."""
    return {
        name
        for statement in lasting(function)
        if actions & set(as_list(statement["Action"]))
        for name in named(statement["Resource"])
    }


def who_may(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy that says who may do something here."""
    properties = policy["Properties"]
    if policy["Type"] == "AWS::Events::EventBusPolicy":
        return as_list(properties["Statement"])
    return as_list(properties["PolicyDocument"]["Statement"])


def trusted_by(role: str) -> set[str]:
    """The services that may assume a role; nothing but services may."""
    services = set()
    for statement in ROLES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
        assert statement["Principal"].keys() == {"Service"}
        services |= set(as_list(statement["Principal"]["Service"]))
    return services


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_role_allows_exactly_what_the_code_calls(function: dict[str, Any]) -> None:
    granted = {action for s in lasting(function) for action in as_list(s["Action"])}

    reporting = set().union(*reported_to(function).values())
    assert granted == calls_of(function) | polled_by(function) | reporting | LOGGING | TRACING


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_role_reaches_exactly_what_the_function_is_told_of(function: dict[str, Any]) -> None:
    """Its code finds things by environment variables, and Lambda by the function's events."""
    polled = [
        event["Properties"].get("Queue", event["Properties"].get("Stream"))
        for event in function.get("Events", {}).values()
        if event["Type"] in POLLING
    ]

    assert reached(function, calls_of(function)) == named(function["Environment"]["Variables"])
    assert reached(function, polled_by(function)) == named(polled)
    for destination, actions in reported_to(function).items():
        assert all(destination in reached(function, {action}) for action in actions)


@pytest.mark.parametrize("name", [*ROLES, *resources("AWS::IAM::Policy")])
def test_what_is_retiring_is_still_granted_and_says_why(name: str) -> None:
    """A right is taken away in two releases: toolkit/docs/removing-a-permission.md."""
    owner = template()["Resources"][name]
    roles = [name] if name in ROLES else [role["Ref"] for role in owner["Properties"]["Roles"]]
    granted = {
        right
        for role in roles
        for statement in grants_to(role, template()["Resources"])[name]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        for right in (action, f"{action} on {short_name(resource)}")
    }

    assert retiring_rights(owner).keys() <= granted
    assert all(retiring_rights(owner).values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_may_write_to_its_own_log_group(function: dict[str, Any]) -> None:
    logging = the_one(
        (s for s in statements(function) if LOGGING & set(as_list(s["Action"]))),
        "a statement that allows writing logs: add the function under Fn::ForEach::Functions",
    )
    group = resources("AWS::Logs::LogGroup")[log_group_of(function)]["Properties"]

    assert logging["Resource"]["Fn::Sub"].endswith(
        f":log-group:{group['LogGroupName']['Fn::Sub']}:*"
    )


@pytest.mark.parametrize("name", functions())
def test_every_function_has_a_role_of_its_own(name: str) -> None:
    role = functions()[name]["Role"]
    roles = [other["Role"] for other in functions().values()]

    assert roles.count(role) == 1
    of_role = the_one(named(role), f"Role: !GetAtt …Role.Arn of {name}")
    assert trusted_by(of_role) == {"lambda.amazonaws.com"}


@pytest.mark.parametrize("name", ROLES)
def test_roles_are_for_a_service_and_name_their_actions_and_resources(name: str) -> None:
    assert trusted_by(name)
    for statement in statements_of(name):
        actions = set(as_list(statement["Action"]))
        assert not [action for action in actions if "*" in action]
        for resource in as_list(statement["Resource"]):
            of_this_stack = named(resource) or "${AWS::StackName}-" in str(resource)
            assert of_this_stack or actions <= NOT_BY_NAME


def test_what_moves_traffic_can_do_that_and_no_more() -> None:
    moving = [function["DeploymentPreference"]["Role"] for function in functions().values()]

    [role] = named(moving)
    assert trusted_by(role) == {"codedeploy.amazonaws.com"}
    assert {
        action for statement in statements_of(role) for action in as_list(statement["Action"])
    } == {
        "cloudwatch:DescribeAlarms",
        "lambda:GetAlias",
        "lambda:GetProvisionedConcurrencyConfig",
        "lambda:UpdateAlias",
    }


def test_every_policy_is_one_that_the_tests_here_know() -> None:
    """IAM's say what a role may do; all others, who may do something here."""
    policies = {
        resource["Type"]
        for resource in template()["Resources"].values()
        if resource["Type"].endswith("Policy") or "PolicyDocument" in resource.get("Properties", {})
    }

    assert policies <= {"AWS::IAM::Policy", *(policy for policy, _ in OWN_POLICIES.values())}


def test_what_others_may_do_here_is_for_services_acting_for_this_account() -> None:
    """What has a policy of its own could let anybody in."""
    allowed = [
        statement
        for kind, _ in OWN_POLICIES.values()
        for policy in resources(kind).values()
        for statement in who_may(policy)
        if statement["Effect"] == "Allow"
    ]

    assert allowed
    for statement in allowed:
        conditions = {key for operator in statement["Condition"].values() for key in operator}
        assert statement["Principal"].keys() == {"Service"}
        assert conditions & {"aws:SourceAccount", "aws:SourceArn"}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in OWN_POLICIES for name in resources(kind)]
)
def test_what_has_a_policy_of_its_own_is_reached_over_tls_only(kind: str, name: str) -> None:
    policy, names = OWN_POLICIES[kind]
    tls_only = the_one(
        (
            statement
            for found in resources(policy).values()
            if {"Ref": name} in as_list(found["Properties"][names])
            for statement in who_may(found)
            if statement["Effect"] == "Deny"
        ),
        f"an {policy} of {name} that denies what is not sent over TLS",
    )

    assert tls_only["Principal"] == "*"
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
