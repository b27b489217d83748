"""The schedule fires when it should, its role may send and no more, and both ends have an alarm."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.runtime.runs import MOST_EFFECTS, RunMessage, parse_run
from toolkit.schedule_expressions import RATE, longest_interval, skipped_times
from toolkit.template import (
    ENVIRONMENTS,
    as_list,
    functions,
    holds,
    named,
    parameters,
    resolve,
    resources,
    statements_of,
    the_one,
)

SCHEDULES = {name: s["Properties"] for name, s in resources("AWS::Scheduler::Schedule").items()}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
every_environment = pytest.mark.parametrize("environment", ENVIRONMENTS)
# Long enough for the clock changes of every zone, wherever in the year this runs.
YEAR = 366
HOUR = 3_600
# CloudWatch looks back no longer, with periods of an hour or more.
# docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
LONGEST_WATCH = 7 * 86_400
# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_TIMEOUT_SECONDS = 900
SENT = RunMessage("arn:aws:scheduler:eu-west-1:123456789012:schedule/a/b", "2026-01-01T02:00:00Z")
PLACEHOLDERS = {
    "<aws.scheduler.schedule-arn>": SENT.schedule,
    "<aws.scheduler.scheduled-time>": SENT.scheduled_time,
    "<aws.scheduler.attempt-number>": "1",
}


def not_run_alarm() -> dict[str, Any]:
    alarms = resources("AWS::CloudWatch::Alarm")
    return the_one(
        (
            alarm
            for alarm in alarms.values()
            if alarm["Properties"].get("MetricName") == "RunsCompleted"
        ),
        "an alarm on RunsCompleted, with TreatMissingData: breaching",
    )


def test_there_is_a_schedule() -> None:
    assert SCHEDULES


@every_schedule
def test_no_run_falls_into_the_hour_that_is_skipped(schedule: dict[str, Any]) -> None:
    """EventBridge Scheduler skips a time that does not exist on the day when clocks go forward.

    docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    expression, zone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
    if RATE.fullmatch(expression):
        return  # A rate counts real time.
    # What fires each hour loses nothing.
    if longest_interval(expression, zone, datetime.now(UTC).date()) <= timedelta(hours=2):
        return

    skipped = skipped_times(expression, zone, datetime.now(UTC).date(), YEAR)

    assert not skipped, (
        f"{expression} is skipped in {zone} at {skipped[0]:%Y-%m-%d %H:%M}, which does not exist:"
        " choose an hour later, or ScheduleExpressionTimezone: UTC"
    )


@every_schedule
def test_input_carries_schedule_and_time_for_scheduler_to_fill_in(schedule: dict[str, Any]) -> None:
    """And not the execution id, which is another one for each attempt."""
    body = schedule["Target"]["Input"]

    for placeholder, value in PLACEHOLDERS.items():
        assert body.count(placeholder) == 1
        body = body.replace(placeholder, value)

    assert parse_run(body) == SENT


@every_schedule
def test_schedule_is_retried_and_ends_in_a_dead_letter_queue_of_its_own(
    schedule: dict[str, Any],
) -> None:
    target = schedule["Target"]

    assert 0 < target["RetryPolicy"]["MaximumRetryAttempts"] <= 185
    assert 60 <= target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400
    dead_letters, queue = named(target["DeadLetterConfig"]["Arn"]), named(target["Arn"])
    assert dead_letters
    assert dead_letters.isdisjoint(queue)
    redrive = resources("AWS::SQS::Queue")[min(queue)]["Properties"]["RedrivePolicy"]
    assert dead_letters.isdisjoint(named(redrive)), "the work's failures have a queue of their own"
    metrics = Metrics()
    name = resolve({"Fn::GetAtt": f"{min(dead_letters)}.QueueName"}, "prod")
    metrics.put("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, 0, 1)
    assert len(metrics.firing("prod", 60)) == 1


@every_schedule
def test_role_of_the_schedule_sends_to_its_two_queues_and_no_more(schedule: dict[str, Any]) -> None:
    """Scheduler sends dead letters with this role as well, so no queue policy is needed.

    docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    [role] = named(schedule["Target"]["RoleArn"])
    granted = statements_of(role)

    assert {action for s in granted for action in as_list(s["Action"])} == {"sqs:SendMessage"}
    assert named([s["Resource"] for s in granted]) == (
        named(schedule["Target"]["Arn"]) | named(schedule["Target"]["DeadLetterConfig"])
    )


@every_schedule
def test_only_the_schedules_of_this_group_take_on_the_role(schedule: dict[str, Any]) -> None:
    """Without it, a schedule of somebody else could: the confused deputy problem.

    docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    [role] = named(schedule["Target"]["RoleArn"])
    [group] = named(schedule["GroupName"])
    trust = resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]
    [statement] = trust["Statement"]

    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    [(_, condition)] = statement["Condition"].items()
    assert condition.keys() == {"aws:SourceAccount", "aws:SourceArn"}
    name = resources("AWS::Scheduler::ScheduleGroup")[group]["Properties"]["Name"]["Fn::Sub"]
    assert condition["aws:SourceArn"]["Fn::Sub"].endswith(f":schedule-group/{name}")


def test_only_what_hands_on_to_its_own_queue_may_be_called_in_a_loop() -> None:
    """Lambda stops a function that calls itself through a queue after about 16 calls.

    docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    hands_on = {
        name
        for name, function in functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
        and named(event["Properties"]["Queue"]) & named(function["Environment"]["Variables"])
    }

    assert hands_on
    assert {
        name for name, f in functions().items() if f.get("RecursiveLoop") == "Allow"
    } == hands_on


@every_environment
def test_alarm_fires_before_a_run_has_reached_the_most_pages(environment: str) -> None:
    most = int(parameters(environment)["MaxPages"])
    alarms = {}
    for pages in (most // 2, most):
        metrics = Metrics()
        namespace = resolve({"Ref": "AWS::StackName"}, environment)
        service = functions()["ProcessFunction"]["Environment"]["Variables"][
            "POWERTOOLS_SERVICE_NAME"
        ]
        metrics.put(namespace, "PagesInRun", {"service": service}, 0, pages)
        alarms[pages] = len(metrics.firing(environment, 300))

    assert list(alarms.values()) == [0, 1]


@every_schedule
@every_environment
def test_alarm_on_missing_runs_fits_the_schedule(
    schedule: dict[str, Any], environment: str
) -> None:
    """Longer than two runs are apart, so that it does not fire for nothing; but not much longer."""
    alarm = not_run_alarm()["Properties"]
    watched = int(resolve(alarm["EvaluationPeriods"], environment)) * alarm["Period"]
    longest = longest_interval(
        schedule["ScheduleExpression"],
        schedule["ScheduleExpressionTimezone"],
        datetime.now(UTC).date(),
    ).total_seconds()

    assert longest + HOUR <= LONGEST_WATCH, (
        "CloudWatch looks back 7 days at most. Let the schedule fire more often, and the function"
        " decide whether something is due; or remove this alarm, and state this check's exception"
    )
    assert longest + HOUR <= watched <= min(2 * longest + 2 * HOUR, LONGEST_WATCH), (
        f"runs are up to {longest / HOUR:.1f} hours apart: set"
        f" NotRunAlarmHours={longest / HOUR + 2:.0f} in samconfig.toml, section {environment}"
    )


@every_environment
def test_alarm_on_missing_runs_fires_when_none_completes(environment: str) -> None:
    alarm = not_run_alarm()["Properties"]
    [service] = [d["Value"] for d in alarm["Dimensions"]]
    watched = int(resolve(alarm["EvaluationPeriods"], environment)) * alarm["Period"]
    runs = Metrics()
    runs.put(resolve(alarm["Namespace"], environment), "RunsCompleted", {"service": service}, 0, 1)

    assert runs.state(alarm, environment, watched) == "OK"
    assert runs.state(alarm, environment, watched + alarm["Period"]) == "ALARM"


@every_environment
def test_alarm_on_missing_runs_is_there_where_the_schedule_is_on(environment: str) -> None:
    """And no mail comes from where it is off."""
    is_on = parameters(environment)["ScheduleState"] == "ENABLED"

    assert holds(not_run_alarm()["Condition"], environment) is is_on


@every_environment
def test_lease_is_longer_than_the_function_runs_and_ends_before_sqs_delivers_again(
    environment: str,
) -> None:
    """So nobody takes a lease from a function that runs, and who comes after a crash gets it."""
    timeout = int(functions()["ProcessFunction"]["Timeout"])
    lease = int(parameters(environment)["LeaseSeconds"])

    assert timeout < lease <= int(parameters(environment)["QueueVisibilitySeconds"])
    assert timeout <= LONGEST_TIMEOUT_SECONDS


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
def test_a_page_fits_a_transaction(environment: str) -> None:
    assert 1 <= int(parameters(environment)["PageSize"]) <= MOST_EFFECTS


@every_schedule
@every_environment
def test_missed_runs_are_caught_up(schedule: dict[str, Any], environment: str) -> None:
    """At least two of them: one is missed, and the next one covers both."""
    longest = longest_interval(
        schedule["ScheduleExpression"],
        schedule["ScheduleExpressionTimezone"],
        datetime.now(UTC).date(),
    )

    assert int(parameters(environment)["CatchUpHours"]) * HOUR >= 2 * longest.total_seconds(), (
        f"set CatchUpHours={2 * longest.total_seconds() / HOUR:.0f} in samconfig.toml or more"
    )
