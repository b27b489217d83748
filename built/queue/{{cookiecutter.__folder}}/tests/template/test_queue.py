"""How the queues are wired, in every environment."""

from typing import Any

import pytest

from scripts.shipped import ENVIRONMENTS, functions, parameters, resolve, resources

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


def test_there_is_a_worker() -> None:
    assert WORKERS


@every_environment
@every_worker
def test_a_slow_batch_is_not_delivered_twice(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    """AWS advises six times the timeout, and the batch window on top."""
    visibility = int(resolve(queue_of(event)["VisibilityTimeout"], environment))
    window = int(resolve(event["MaximumBatchingWindowInSeconds"], environment))
    timeout = int(resolve(function["Timeout"], environment))

    assert visibility >= 6 * timeout + window


@every_worker
def test_a_batch_may_fail_in_part(function: dict[str, Any], event: dict[str, Any]) -> None:
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@every_environment
@every_worker
def test_what_the_work_calls_is_not_overrun(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    assert int(resolve(event["ScalingConfig"]["MaximumConcurrency"], environment)) >= 2


@every_worker
def test_a_message_that_fails_ends_in_a_dead_letter_queue_with_an_alarm(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    redrive = queue_of(event)["RedrivePolicy"]
    dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"].partition(".")[0]

    assert redrive["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    assert function["Environment"]["Variables"]["MAX_RECEIVE_COUNT"] == {"Ref": "MaxReceiveCount"}
    assert QUEUES[dead_letters]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    watched = [
        dimension["Value"]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Properties"]["Dimensions"]
    ]
    assert {"Fn::GetAtt": f"{dead_letters}.QueueName"} in watched


@every_worker
def test_an_order_is_remembered_for_longer_than_its_messages_live(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    days = int(function["Environment"]["Variables"]["IDEMPOTENCY_DAYS"])
    longest_life = queue_of(event)["MessageRetentionPeriod"] / 86_400 + 14

    assert days > longest_life
    [table] = [
        table["Properties"]
        for table in resources("AWS::DynamoDB::Table").values()
        if "TimeToLiveSpecification" in table["Properties"]
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


@every_environment
def test_the_duration_alarm_comes_before_the_timeout(environment: str) -> None:
    values = parameters(environment)
    timeout = int(values["ProcessTimeoutSeconds"]) * 1_000

    assert int(values["ProcessDurationAlarmMilliseconds"]) == timeout * 0.8


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted_and_reached_over_tls_only(name: str) -> None:
    assert QUEUES[name]["Properties"]["SqsManagedSseEnabled"] is True
    denials = [
        (policy["Properties"]["Queues"], statement)
        for policy in resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    [(_, statement)] = [(queues, s) for queues, s in denials if {"Ref": name} in queues]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
