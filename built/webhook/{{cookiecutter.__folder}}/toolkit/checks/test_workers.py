"""How queues and their workers are wired, in every environment."""

from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.invocations import count, invoke
from toolkit.template import (
    ENVIRONMENTS,
    alarms_on,
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


def queue_of(event: dict[str, Any]) -> dict[str, Any]:
    """Properties of the queue that an event comes from."""
    name = event["Queue"]["Fn::GetAtt"].partition(".")[0]
    properties: dict[str, Any] = QUEUES[name]["Properties"]
    return properties


def retention_of(event: dict[str, Any]) -> int:
    """Seconds; 4 days where the template has none."""
    return int(queue_of(event).get("MessageRetentionPeriod", 4 * DAY))


def dimensions(queue: str) -> dict[str, str]:
    return {"QueueName": resolve({"Fn::GetAtt": f"{queue}.QueueName"}, "prod")}


def dead_letter_queue_of(event: dict[str, Any]) -> str:
    redrive = queue_of(event).get("RedrivePolicy")
    assert redrive, f"add a RedrivePolicy to the queue {event['Queue']['Fn::GetAtt']}"
    target: str = redrive["deadLetterTargetArn"]["Fn::GetAtt"]
    return target.partition(".")[0]


def test_there_is_a_worker() -> None:
    assert WORKERS


@every_environment
@every_worker
def test_visibility_timeout_is_six_times_the_function_timeout(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    """And the batch window on top, as AWS advises: a slow batch must not be delivered twice."""
    visibility = int(resolve(queue_of(event).get("VisibilityTimeout", 30), environment))
    window = int(resolve(event.get("MaximumBatchingWindowInSeconds", 0), environment))
    timeout = int(resolve(function["Timeout"], environment))

    assert visibility >= 6 * timeout + window


@every_worker
def test_worker_reports_partial_batch_failures(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    assert event.get("FunctionResponseTypes") == ["ReportBatchItemFailures"], (
        "add to the event: FunctionResponseTypes: [ReportBatchItemFailures]"
    )


@every_environment
@every_worker
def test_worker_concurrency_is_limited(
    function: dict[str, Any], event: dict[str, Any], environment: str
) -> None:
    most = event.get("ScalingConfig", {}).get("MaximumConcurrency")
    assert most, "add to the event: ScalingConfig: { MaximumConcurrency: … }"
    assert int(resolve(most, environment)) >= 2


@every_worker
def test_failed_message_goes_to_a_dead_letter_queue_with_an_alarm(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    dead_letters = dead_letter_queue_of(event)

    assert queue_of(event)["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}
    if "MAX_RECEIVE_COUNT" in variables_read_by(function):
        given = function["Environment"]["Variables"].get("MAX_RECEIVE_COUNT")
        assert given == {"Ref": "MaxReceiveCount"}, "the function must know the queue's limit"
    kept = QUEUES[dead_letters]["Properties"].get("MessageRetentionPeriod")
    assert kept == 14 * DAY, f"MessageRetentionPeriod: 1209600 for {dead_letters}"
    metrics = Metrics()
    metrics.put(*VISIBLE, dimensions(dead_letters), 0, 1)
    assert len(metrics.firing("prod", 60)) == 1


@every_worker
def test_second_alarm_fires_before_dead_letters_are_deleted(
    function: dict[str, Any], event: dict[str, Any]
) -> None:
    """SQS counts retention from when a message was first sent, its days in the queue included.

    Listing dead letters receives them, which hides them for a moment.
    """
    dead_letters = dead_letter_queue_of(event)
    deleted_after = QUEUES[dead_letters]["Properties"]["MessageRetentionPeriod"]
    deleted_after -= retention_of(event)
    alarms = {}
    for days in (2, deleted_after // DAY - 3):
        metrics = Metrics()
        for hour in range(days * 24):
            metrics.put(*VISIBLE, dimensions(dead_letters), hour * 3_600, 1)
            metrics.put(*VISIBLE, dimensions(dead_letters), hour * 3_600 + 60, 0)
        alarms[days] = len(metrics.firing("prod", days * DAY))

    assert list(alarms.values()) == [0, 1]


@pytest.mark.parametrize("name", WORKERS)
def test_one_failed_message_sends_one_mail(name: str) -> None:
    """It fails MaxReceiveCount times, and becomes a dead letter. Nothing else is wrong."""
    function, event = WORKERS[name]
    visibility = int(resolve(queue_of(event).get("VisibilityTimeout", 30), "prod"))
    attempts = int(resolve({"Ref": "MaxReceiveCount"}, "prod"))
    worker = resolve(function["FunctionName"], "prod")
    failed = invoke(name, "prod", "1", fails=True)
    metrics = Metrics()
    for attempt in range(attempts):
        count(metrics, worker, "1", failed, attempt * visibility, 1)
    end = (attempts - 1) * visibility
    metrics.put(*VISIBLE, dimensions(dead_letter_queue_of(event)), end, 1)

    assert failed.error == ""
    mails = {alarm for now in range(60, end + 120, 60) for alarm in metrics.firing("prod", now)}
    canaries = {alarm["Ref"] for alarm in function["DeploymentPreference"]["Alarms"]}
    assert len(mails - canaries) == 1


@every_environment
@every_worker
def test_alarm_on_message_age_fires_long_before_messages_are_deleted(
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

    assert 0 < longest < retention_of(event) / 2


def test_idempotency_record_is_kept_longer_than_a_message_exists() -> None:
    """A message exists in the queue, then in the dead-letter queue, and again after a redrive."""
    days = {
        name: (int(function["Environment"]["Variables"].get("IDEMPOTENCY_DAYS", 0)), event)
        for name, (function, event) in WORKERS.items()
        if "IDEMPOTENCY_DAYS" in variables_read_by(function)
    }

    too_short = [
        name for name, (kept, event) in days.items() if kept <= 2 * (retention_of(event) / DAY + 14)
    ]
    assert not too_short
