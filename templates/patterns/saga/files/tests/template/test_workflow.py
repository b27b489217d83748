"""The workflow's definition: every state is reached, and every effect has a way back."""

import re
from typing import Any

import pytest

from scripts.draw import definition, redrawn
from scripts.shipped import as_list, functions, named, resources, statements_of, template
from scripts.stacks import PROJECT

WORKFLOW = definition()
STATES: dict[str, dict[str, Any]] = WORKFLOW["States"]
MACHINES = resources("AWS::Serverless::StateMachine")
[MACHINE] = (machine["Properties"] for machine in MACHINES.values())
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
PARKING = {name: s for name, s in TASKS.items() if s["Resource"].endswith(".waitForTaskToken")}
STEPS = {name: state for name, state in TASKS.items() if name not in PARKING}
TOGETHER = [("ReserveStock", "ReleaseStock"), ("TakePayment", "RefundPayment")]
TOGETHER += [("ArrangeShipping", "CancelShipping")]
TRANSIENT = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
    "TryAgainError",
}
DAY = 86_400


def ways_from(name: str) -> set[str]:
    state = STATES[name]
    rules = [*state.get("Choices", []), *state.get("Catch", [])]
    return {way["Next"] for way in [state, *rules] if "Next" in way} | (
        {state["Default"]} if "Default" in state else set()
    )


def after(name: str) -> str:
    following: str = STATES[name]["Next"]
    return following


def caught(name: str) -> dict[str, str]:
    """Where each error leads to."""
    return {
        error: catch["Next"] for catch in STATES[name]["Catch"] for error in catch["ErrorEquals"]
    }


def test_every_state_is_reached_and_every_way_leads_somewhere() -> None:
    reached, ahead = set(), {WORKFLOW["StartAt"]}
    while ahead:
        reached |= ahead
        ahead = {way for name in ahead for way in ways_from(name)} - reached

    assert reached == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_a_state_goes_on_or_ends(name: str) -> None:
    state = STATES[name]

    ends = state["Type"] in ("Fail", "Succeed") or state.get("End") is True
    assert ends != bool({"Next", "Default"} & state.keys())


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_timeout_a_retry_and_a_way_out(name: str) -> None:
    [retry] = TASKS[name]["Retry"]

    assert TASKS[name]["TimeoutSeconds"] >= 1
    assert TASKS[name]["Catch"]
    assert retry["BackoffRate"] > 1
    assert retry["JitterStrategy"] == "FULL"
    assert retry["MaxDelaySeconds"] <= 60
    assert retry["MaxAttempts"] >= 3


@pytest.mark.parametrize("name", STEPS)
def test_only_what_may_pass_is_tried_again(name: str) -> None:
    [retry] = STEPS[name]["Retry"]

    assert set(retry["ErrorEquals"]) == TRANSIENT


@pytest.mark.parametrize("name", STEPS)
def test_a_step_runs_the_live_version_of_the_function_of_its_name(name: str) -> None:
    assert STEPS[name]["Arguments"]["FunctionName"] == f"${{{name}}}"
    assert MACHINE["DefinitionSubstitutions"][name] == {"Fn::Sub": f"${{{name}Function.Arn}}:live"}


@pytest.mark.parametrize("name", STEPS)
def test_a_function_gives_up_before_the_workflow_gives_up_on_it(name: str) -> None:
    assert functions()[f"{name}Function"]["Timeout"] < STEPS[name]["TimeoutSeconds"]


@pytest.mark.parametrize(("step", "compensation"), TOGETHER)
def test_a_step_that_fails_is_undone_whatever_it_failed_of(step: str, compensation: str) -> None:
    errors = caught(step)

    assert set(errors.values()) == {compensation}
    assert "States.ALL" in errors
    assert any(error.endswith("Error") for error in errors), "a refusal is caught by its name"


def test_compensations_run_in_reverse_order() -> None:
    forwards = [WORKFLOW["StartAt"]]
    while "Next" in STATES[forwards[-1]]:
        forwards.append(after(forwards[-1]))
    steps, compensations = zip(*TOGETHER, strict=True)
    backwards = [caught(steps[-1])["States.ALL"]]
    while after(backwards[-1]) in STEPS:
        backwards.append(after(backwards[-1]))

    assert forwards == [*steps, "NotifyCustomer"]
    assert backwards == [*reversed(compensations)]


def test_a_refusal_ends_well_and_a_breakage_as_a_failure() -> None:
    refusals = {"OutOfStockError", "PaymentDeclinedError", "UndeliverableError"}
    told = {
        error: catch["Assign"]["refused"]
        for step, _ in TOGETHER
        for catch in STATES[step]["Catch"]
        for error in catch["ErrorEquals"]
    }

    assert told == dict.fromkeys(refusals, True) | {"States.ALL": False}
    [refused] = STATES["WhyUndone"]["Choices"]
    assert refused["Condition"] == "{% $refused %}"
    assert STATES[refused["Next"]]["Type"] == "Succeed"
    assert STATES[STATES["WhyUndone"]["Default"]]["Type"] == "Fail"


def test_what_refuses_orders_may_raise_some_errors_before_an_alarm_goes_off() -> None:
    """Lambda counts a refusal as an error."""
    rows = template()["Mappings"]["AlarmAt"]

    lenient = {name for name, row in rows.items() if "ErrorsPerMinute" in row}
    assert lenient == {step for step, _ in TOGETHER}


@pytest.mark.parametrize("name", ["NotifyCustomer", *(undo for _, undo in TOGETHER)])
def test_what_cannot_be_done_is_parked_and_tried_again_when_it_is_resumed(name: str) -> None:
    parked = f"Park{name}"

    assert caught(name) == {"States.ALL": parked}
    assert caught(parked) == {"TryAgainError": name, "States.Timeout": name}
    assert STATES[parked].get("Next") == STATES[name].get("Next")


@pytest.mark.parametrize("name", ["NotifyCustomer", *(undo for _, undo in TOGETHER)])
def test_what_failed_without_a_cause_is_parked_as_well(name: str) -> None:
    """An expression that finds nothing is an error, and would end the workflow half-done."""
    [catch] = STATES[name]["Catch"]
    cause = "$states.errorOutput.Cause"

    assert catch["Assign"]["cause"] == f"{{% $exists({cause}) ? {cause} : '' %}}"


@pytest.mark.parametrize("name", PARKING)
def test_a_parked_case_says_all_it_takes_to_finish_it_by_hand(name: str) -> None:
    case = PARKING[name]["Arguments"]["MessageBody"]

    assert case.keys() == {"order", "step", "error", "cause", "execution", "task_token"}
    assert case["step"] == name.removeprefix("Park")
    assert "$states.context.Task.Token" in case["task_token"]


@pytest.mark.parametrize("name", PARKING)
def test_a_case_is_parked_anew_before_its_message_is_gone(name: str) -> None:
    [url] = named(MACHINE["DefinitionSubstitutions"]["ParkedQueueUrl"])
    queue = resources("AWS::SQS::Queue")[url]["Properties"]

    assert queue["MessageRetentionPeriod"] == 14 * DAY
    assert 13 * DAY < PARKING[name]["TimeoutSeconds"] < queue["MessageRetentionPeriod"]


def test_the_workflow_outlasts_its_cases_and_the_records_outlast_the_workflow() -> None:
    parked = sum(state["TimeoutSeconds"] for state in PARKING.values())
    days = {
        int(function["Environment"]["Variables"]["STEPS_DAYS"])
        for function in functions().values()
        if "STEPS_DAYS" in function["Environment"]["Variables"]
    }

    assert parked < WORKFLOW["TimeoutSeconds"] < min(days) * DAY


def test_every_placeholder_is_filled_in_and_every_filling_used() -> None:
    text = (PROJECT / MACHINE["DefinitionUri"]).read_text("utf-8")

    assert set(re.findall(r"\$\{(\w+)\}", text)) == MACHINE["DefinitionSubstitutions"].keys()


def test_the_workflow_may_do_what_its_states_do_and_no_more() -> None:
    [role] = named(MACHINE["Role"])
    may = {
        action: statement["Resource"]
        for statement in statements_of(role)
        for action in as_list(statement["Action"])
        if not action.startswith(("logs:", "xray:"))
    }

    assert may.keys() == {"lambda:InvokeFunction", "sqs:SendMessage"}
    assert sorted(r["Fn::Sub"] for r in may["lambda:InvokeFunction"]) == sorted(
        f"${{{name}Function.Arn}}:live" for name in STEPS
    )
    assert may["sqs:SendMessage"] == {"Fn::GetAtt": "ParkedQueue.Arn"}


def test_executions_are_logged_without_their_data_and_traced() -> None:
    [destination] = MACHINE["Logging"]["Destinations"]
    [group] = named(destination)

    assert group in resources("AWS::Logs::LogGroup")
    assert MACHINE["Logging"]["Level"] == "ALL"
    assert MACHINE["Logging"]["IncludeExecutionData"] is False
    assert MACHINE["Tracing"] == {"Enabled": True}
    assert MACHINE["Type"] == "STANDARD"


@pytest.mark.parametrize(
    ("namespace", "metric"),
    [
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionsAborted"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ],
)
def test_the_first_order_that_needs_somebody_raises_an_alarm(namespace: str, metric: str) -> None:
    [alarm] = (
        alarm["Properties"]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if (alarm["Properties"]["Namespace"], alarm["Properties"]["MetricName"])
        == (namespace, metric)
    )
    [dimension] = alarm["Dimensions"]

    assert named(dimension["Value"]) <= {*MACHINES, "ParkedQueue"}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert alarm["EvaluationPeriods"] == 1


def test_parked_cases_are_encrypted_and_reached_over_tls_only() -> None:
    [queue] = resources("AWS::SQS::Queue").values()
    [policy] = resources("AWS::SQS::QueuePolicy").values()
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]

    assert queue["Properties"]["SqsManagedSseEnabled"] is True
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_business_data_outlives_a_mistake_with_the_stack_and_records_of_steps_expire() -> None:
    tables = resources("AWS::DynamoDB::Table")
    steps = tables.pop("StepsTable")["Properties"]

    assert steps["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    for table in tables.values():
        properties = table["Properties"]
        in_prod = {"Fn::If": ["IsProd", True, False]}
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"
        assert properties["DeletionProtectionEnabled"] == in_prod
        assert (
            properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == in_prod
        )


def test_the_picture_in_the_readme_is_what_the_definition_says() -> None:
    """`make diagram` draws it again."""
    readme = PROJECT / "README.md"

    assert readme.read_text("utf-8") == redrawn(readme)
