"""How the queues are wired, in every environment."""

from typing import Any

import pytest

from scripts.shipped import (
    ENVIRONMENTS,
    alarms_on,
    apis,
    functions,
    resolve,
    resources,
    the_one,
    variables_read_by,
)

QUEUES = resources("AWS::SQS::Queue")
WORKERS = {
    name: (function, event["Properties"])
    for name, function in functions().items()
    for event in function.get("Events", {}).values()
    if event["Type"] == "SQS"
}
every_environment = pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
every_worker = pytest.mark.parametrize(
    ("function", "event"), [pytest.param(*worker, id=name) for name, worker in WORKERS.items()]
)


def queue_of(event: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = QUEUES[event["Queue"]["Fn::GetAtt"].partition(".")[0]][
        "Properties"
    ]
    return properties


def alarm_on(metric: str, queue: str) -> dict[str, Any]:
    """The alarm that goes off when a metric of a queue is as high as its threshold."""
    alarms = alarms_on(f"AWS/SQS {metric}", {"Fn::GetAtt": f"{queue}.QueueName"}).values()
    alarm = the_one(alarms, f"an alarm on {metric} of {queue}, and its page in docs/runbook.md")
    assert alarm["Statistic"] == "Maximum"
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    return alarm


def test_there_is_a_worker() -> None:
    assert WORKERS


def test_callers_sign_requests_with_credentials_of_their_own() -> None:
    [api] = apis().values()

    assert api["Auth"] == {"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}


@every_environment
@every_worker
def test_a_slow_batch_is_not_delivered_twice(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    """AWS advises six times the timeout, and the batch window on top."""
    visibility = int(resolve(queue_of(event).get("VisibilityTimeout", 30), environment))
    window = int(resolve(event.get("MaximumBatchingWindowInSeconds", 0), environment))
    timeout = int(resolve(function["Timeout"], environment))

    assert visibility >= 6 * timeout + window


@every_worker
def test_a_batch_may_fail_in_part(function: dict[str, Any], event: dict[str, Any]) -> None:
    assert event.get("FunctionResponseTypes") == ["ReportBatchItemFailures"], (
        "add to the event: FunctionResponseTypes: [ReportBatchItemFailures]"
    )


@every_environment
@every_worker
def test_what_the_work_calls_is_not_overrun(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    most = event.get("ScalingConfig", {}).get("MaximumConcurrency")
    assert most, "add to the event: ScalingConfig: { MaximumConcurrency: … }"
    assert int(resolve(most, environment)) >= 2


@every_worker
def test_a_message_that_fails_ends_in_a_dead_letter_queue_with_an_alarm(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    redrive = queue_of(event).get("RedrivePolicy")
    assert redrive, f"add a RedrivePolicy to the queue {event['Queue']['Fn::GetAtt']}"
    dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"].partition(".")[0]

    assert redrive["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    if "MAX_RECEIVE_COUNT" in variables_read_by(function):
        told = function["Environment"]["Variables"].get("MAX_RECEIVE_COUNT")
        assert told == {"Ref": "MaxReceiveCount"}, "the function has to know the queue's limit"
    kept = QUEUES[dead_letters]["Properties"].get("MessageRetentionPeriod")
    assert kept == 14 * 86_400, f"MessageRetentionPeriod: 1209600 for {dead_letters}"
    alarm = alarm_on("ApproximateNumberOfMessagesVisible", dead_letters)
    assert alarm["Threshold"] == 1


@every_environment
@every_worker
def test_an_alarm_tells_of_orders_that_wait_long_before_they_are_lost(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    alarm = alarm_on(
        "ApproximateAgeOfOldestMessage", event["Queue"]["Fn::GetAtt"].partition(".")[0]
    )
    longest = int(resolve(alarm["Threshold"], environment))

    assert 0 < longest < queue_of(event).get("MessageRetentionPeriod", 345_600) / 2


@pytest.mark.parametrize(
    ("function", "event"),
    [
        pytest.param(function, event, id=name)
        for name, (function, event) in WORKERS.items()
        if "IDEMPOTENCY_DAYS" in variables_read_by(function)
    ],
)
def test_an_order_is_remembered_for_longer_than_its_messages_live(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    days = int(function["Environment"]["Variables"].get("IDEMPOTENCY_DAYS", 0))
    one_life = queue_of(event).get("MessageRetentionPeriod", 345_600) / 86_400 + 14

    assert days > 2 * one_life  # It may be redriven on its last day.
    [table] = [
        table["Properties"]
        for table in resources("AWS::DynamoDB::Table").values()
        if "TimeToLiveSpecification" in table["Properties"]
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted_and_reached_over_tls_only(name: str) -> None:
    assert QUEUES[name]["Properties"].get("SqsManagedSseEnabled") is True, (
        f"add to {name}: SqsManagedSseEnabled: true"
    )
    statement = the_one(
        (
            statement
            for policy in resources("AWS::SQS::QueuePolicy").values()
            if {"Ref": name} in policy["Properties"]["Queues"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ),
        f"an AWS::SQS::QueuePolicy of {name}, as the other queues have it",
    )
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert {"sqs:ReceiveMessage", "sqs:SendMessage"} <= set(statement["Action"])
    assert statement["Resource"] == {"Fn::GetAtt": f"{name}.Arn"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_business_data_outlives_a_mistake_with_the_stack() -> None:
    """A table whose items never expire holds them for good."""
    tables = [
        table
        for table in resources("AWS::DynamoDB::Table").values()
        if "TimeToLiveSpecification" not in table["Properties"]
    ]

    assert tables
    for table in tables:
        properties = table["Properties"]
        assert table["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate")
        assert table["UpdateReplacePolicy"] == "Retain"
        assert in_prod(properties["DeletionProtectionEnabled"])
        assert in_prod(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])


def in_prod(value: Any) -> bool:
    return value is True or value == {"Fn::If": ["IsProd", True, False]}
