"""How the queues are wired, in every environment."""

from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.invocations import count, invoke
from toolkit.template import (
    ENVIRONMENTS,
    alarms_on,
    apis,
    functions,
    resolve,
    resources,
    the_one,
    variables_read_by,
)

DAY = 86_400
VISIBLE = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
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

every_worker_that_remembers = pytest.mark.parametrize(
    ("function", "event"),
    [
        pytest.param(*worker, id=name)
        for name, worker in WORKERS.items()
        if "IDEMPOTENCY_DAYS" in variables_read_by(worker[0])
    ],
)


def queue_of(event: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = QUEUES[event["Queue"]["Fn::GetAtt"].partition(".")[0]][
        "Properties"
    ]
    return properties


def alarms_after(metrics: Metrics, now: int) -> set[str]:
    """The alarms that are in ALARM, whatever their names."""
    alarms = resources("AWS::CloudWatch::Alarm")
    states = {n: metrics.state(alarm["Properties"], "prod", now) for n, alarm in alarms.items()}
    return {name for name, state in states.items() if state == "ALARM"}


def name_of(queue: str) -> dict[str, str]:
    return {"QueueName": resolve({"Fn::GetAtt": f"{queue}.QueueName"}, "prod")}


def dead_letters_of(event: dict[str, Any]) -> str:
    redrive = queue_of(event).get("RedrivePolicy")
    assert redrive, f"add a RedrivePolicy to the queue {event['Queue']['Fn::GetAtt']}"
    target: str = redrive["deadLetterTargetArn"]["Fn::GetAtt"]
    return target.partition(".")[0]


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
    dead_letters = dead_letters_of(event)

    assert queue_of(event)["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    if "MAX_RECEIVE_COUNT" in variables_read_by(function):
        given = function["Environment"]["Variables"].get("MAX_RECEIVE_COUNT")
        assert given == {"Ref": "MaxReceiveCount"}, "the function has to know the queue's limit"
    kept = QUEUES[dead_letters]["Properties"].get("MessageRetentionPeriod")
    assert kept == 14 * DAY, f"MessageRetentionPeriod: 1209600 for {dead_letters}"
    metrics = Metrics()
    metrics.put(*VISIBLE, name_of(dead_letters), 0, 1)
    assert len(alarms_after(metrics, 60)) == 1


@every_worker
def test_a_second_alarm_tells_of_dead_letters_before_they_are_lost(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    """SQS deletes a message by when it was first sent: its days in the queue count as well.

    A look at dead letters receives them, and hides them for a moment.
    """
    dead_letters = dead_letters_of(event)
    in_dead_letters = QUEUES[dead_letters]["Properties"]["MessageRetentionPeriod"]
    lost_after = in_dead_letters - queue_of(event)["MessageRetentionPeriod"]
    told = {}
    for days in (2, lost_after // DAY - 3):
        metrics = Metrics()
        for hour in range(days * 24):
            metrics.put(*VISIBLE, name_of(dead_letters), hour * 3_600, 1)
            metrics.put(*VISIBLE, name_of(dead_letters), hour * 3_600 + 60, 0)
        told[days] = len(alarms_after(metrics, days * DAY))

    assert list(told.values()) == [0, 1]


@pytest.mark.parametrize("name", WORKERS)
def test_one_message_that_fails_sends_one_mail(name: str) -> None:
    """It fails as often as MaxReceiveCount, and ends as a dead letter. Nothing else is wrong."""
    function, event = WORKERS[name]
    visibility = int(resolve(queue_of(event).get("VisibilityTimeout", 30), "prod"))
    attempts = int(resolve({"Ref": "MaxReceiveCount"}, "prod"))
    worker = resolve(function["FunctionName"], "prod")
    failed = invoke(name, "prod", "1", fails=True)
    metrics = Metrics()
    for attempt in range(attempts):
        count(metrics, worker, "1", failed, attempt * visibility, 1)
    end = (attempts - 1) * visibility
    metrics.put(*VISIBLE, name_of(dead_letters_of(event)), end, 1)

    assert failed.error == ""
    mails = {alarm for now in range(60, end + 120, 60) for alarm in alarms_after(metrics, now)}
    guards = {alarm["Ref"] for alarm in function["DeploymentPreference"]["Alarms"]}
    assert len(mails - guards) == 1


@every_environment
@every_worker
def test_an_alarm_tells_of_orders_that_wait_long_before_they_are_lost(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    queue = event["Queue"]["Fn::GetAtt"].partition(".")[0]
    alarm = the_one(
        alarms_on(
            "AWS/SQS ApproximateAgeOfOldestMessage", {"Fn::GetAtt": f"{queue}.QueueName"}
        ).values(),
        f"an alarm on ApproximateAgeOfOldestMessage of {queue}, and its page in docs/runbook.md",
    )
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    longest = int(resolve(alarm["Threshold"], environment))

    assert 0 < longest < queue_of(event).get("MessageRetentionPeriod", 345_600) / 2


@every_worker_that_remembers
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


@every_worker_that_remembers
def test_an_accepted_order_is_remembered_for_longer_than_a_shipped_one(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    """Or another order could be accepted under an id that the worker still refuses."""
    submit = functions()["SubmitFunction"]["Environment"]["Variables"]
    days = int(function["Environment"]["Variables"]["IDEMPOTENCY_DAYS"])
    one_life = queue_of(event)["MessageRetentionPeriod"] / 86_400 + 14

    assert int(submit["IDEMPOTENCY_DAYS"]) >= days + 3 * one_life  # Two redrives.


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
