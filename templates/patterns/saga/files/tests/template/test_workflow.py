"""The workflow's definition: every state is reached, and every effect has a way back."""

import json
import re
from typing import Any

import botocore.session
import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.invocations import count, invoke, invoke_with
from toolkit.commands.draw import definition, redrawn
from toolkit.runtime.aws import LONGEST_CALL_SECONDS
from toolkit.runtime.transactions import CONFLICT_SECONDS
from toolkit.stacks import PROJECT
from toolkit.template import (
    as_list,
    functions,
    lasting_statements_of,
    named,
    resolve,
    resources,
)

WORKFLOW = definition()
STATES: dict[str, dict[str, Any]] = WORKFLOW["States"]
MACHINES = resources("AWS::Serverless::StateMachine")
[MACHINE] = (machine["Properties"] for machine in MACHINES.values())
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
PARKING = {name: s for name, s in TASKS.items() if s["Resource"].endswith(".waitForTaskToken")}
STEPS = {name: state for name, state in TASKS.items() if name not in PARKING}
TOGETHER = [("ReserveStock", "ReleaseStock"), ("TakePayment", "RefundPayment")]
TOGETHER += [("ArrangeShipping", "CancelShipping")]
# Of Lambda's Invoke, in botocore's model: what is over in a while.
INVOKE: Any = botocore.session.get_session().get_service_model("lambda").operation_model("Invoke")
OF_INVOKE = {f"Lambda.{error.name}": error for error in INVOKE.error_shapes}
INVOKE_TRANSIENT = {
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.ENILimitReachedException",
    "Lambda.ENINotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ServiceException",
    "Lambda.SnapStartNotReadyException",
    "Lambda.SnapStartTimeoutException",
    "Lambda.SubnetIPAddressLimitReachedException",
    "Lambda.TooManyRequestsException",
}
# docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
OF_STEP_FUNCTIONS = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
}
# What Lambda calls a function that died or took too long, and what Step Functions calls no answer:
# docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
NO_ANSWER = {"Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"}
TRANSIENT = INVOKE_TRANSIENT | OF_STEP_FUNCTIONS | NO_ANSWER | {"TryAgainError"}
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


def test_every_state_is_reachable_and_every_transition_has_a_target() -> None:
    reached, ahead = set(), {WORKFLOW["StartAt"]}
    while ahead:
        reached |= ahead
        ahead = {way for name in ahead for way in ways_from(name)} - reached

    assert reached == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_state_has_a_next_state_or_ends(name: str) -> None:
    state = STATES[name]

    ends = state["Type"] in ("Fail", "Succeed") or state.get("End") is True
    assert ends != bool({"Next", "Default"} & state.keys())


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_timeout_retry_and_catch(name: str) -> None:
    [retry] = TASKS[name]["Retry"]

    assert TASKS[name]["TimeoutSeconds"] >= 1
    assert TASKS[name]["Catch"]
    assert retry["BackoffRate"] > 1
    assert retry["JitterStrategy"] == "FULL"
    assert retry["MaxDelaySeconds"] <= 60
    assert retry["MaxAttempts"] >= 3


@pytest.mark.parametrize("name", STEPS)
def test_only_temporary_errors_are_retried(name: str) -> None:
    [retry] = STEPS[name]["Retry"]

    assert set(retry["ErrorEquals"]) == TRANSIENT


def test_every_temporary_error_of_lambda_is_retried() -> None:
    """What its documentation calls throttled, or asks to wait for."""
    says_so = re.compile(r"throttled|try (again|the request again)|when the function state becomes")
    to_retry = {
        name for name, error in OF_INVOKE.items() if says_so.search(error.documentation.lower())
    }

    assert "Lambda.EC2ThrottledException" in to_retry
    assert to_retry <= TRANSIENT


def test_permanent_errors_of_lambda_are_not_retried() -> None:
    sender = {
        name for name, error in OF_INVOKE.items() if error.metadata["error"].get("senderFault")
    }
    may_be_retried = {
        "Lambda.CodeArtifactUserPendingException",  # Until the function is active.
        "Lambda.ResourceConflictException",  # Until a change of the function is through.
        "Lambda.SnapStartNotReadyException",
        "Lambda.SnapStartTimeoutException",
        "Lambda.TooManyRequestsException",
    }

    assert sender & TRANSIENT == may_be_retried
    assert not [name for name in TRANSIENT if re.search("Invalid|KMS|NotFound|Denied", name)]
    assert not TRANSIENT & {"States.ALL", "States.TaskFailed"}
    assert OF_INVOKE.keys() >= INVOKE_TRANSIENT


@pytest.mark.parametrize("name", STEPS)
def test_step_invokes_the_alias_of_its_function(name: str) -> None:
    assert STEPS[name]["Arguments"]["FunctionName"] == f"${{{name}}}"
    assert MACHINE["DefinitionSubstitutions"][name] == {"Ref": f"{name}Function.Alias"}


def test_definition_takes_effect_after_the_resources_that_it_calls() -> None:
    """CloudFormation waits for what is referred to, and not for a name put together as text."""
    substitutions = MACHINE["DefinitionSubstitutions"]
    called = [
        substitutions[name] for name in substitutions.keys() - {"Partition", "TemporaryErrors"}
    ]

    for value in called:
        assert value.keys() == {"Ref"}
        assert named(value)


def test_executions_start_on_the_version_of_the_alias() -> None:
    starting = functions()["StartFunction"]["Environment"]["Variables"]["STATE_MACHINE_ARN"]

    assert MACHINE["AutoPublishAlias"] == "live"
    assert starting == {"Ref": "WorkflowAliaslive"}


def test_new_definition_takes_over_gradually_and_failed_workflows_roll_it_back() -> None:
    """Step Functions wants a share and an interval, but where all moves at once."""
    preference = MACHINE["DeploymentPreference"]
    [alarm] = named(preference["Alarms"])

    assert resolve(preference["Type"], "prod") == "LINEAR"
    assert resolve(preference["Percentage"], "prod") == 10
    assert resolve(preference["Interval"], "prod") == 1
    assert resolve(preference["Type"], "dev") == "ALL_AT_ONCE"
    assert resolve(preference["Percentage"], "dev") is None
    assert (
        resources("AWS::CloudWatch::Alarm")[alarm]["Properties"]["MetricName"] == "ExecutionsFailed"
    )


@pytest.mark.parametrize("name", STEPS)
def test_function_timeout_covers_writes_and_conflict_retries(name: str) -> None:
    """All conflicts of one write, and then a call that takes as long as one may."""
    writes = {"NotifyCustomer": 1} | {undo: 2 for _, undo in TOGETHER}
    longest = writes.get(name, 1) * LONGEST_CALL_SECONDS + CONFLICT_SECONDS

    assert functions()[f"{name}Function"]["Timeout"] >= longest


@pytest.mark.parametrize("name", STEPS)
def test_function_timeout_is_shorter_than_the_task_timeout(name: str) -> None:
    assert functions()[f"{name}Function"]["Timeout"] < STEPS[name]["TimeoutSeconds"]


@pytest.mark.parametrize(("step", "compensation"), TOGETHER)
def test_failed_step_is_undone_after_any_error(step: str, compensation: str) -> None:
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


def test_refusal_succeeds_as_cancelled_and_error_fails() -> None:
    refusals = {"OutOfStockError", "PaymentDeclinedError", "UndeliverableError"}
    caught = {
        error: catch["Assign"]["refused"]
        for step, _ in TOGETHER
        for catch in STATES[step]["Catch"]
        for error in catch["ErrorEquals"]
    }

    assert caught == dict.fromkeys(refusals, True) | {"States.ALL": False}
    [refused] = STATES["WhyUndone"]["Choices"]
    assert refused["Condition"] == "{% $refused %}"
    assert STATES[refused["Next"]]["Type"] == "Succeed"
    assert STATES[STATES["WhyUndone"]["Default"]]["Type"] == "Fail"


# What each step refuses: the order that it is given, or what DynamoDB answers.
REFUSED = {"TakePayment": {"amount": 10**8}, "ArrangeShipping": {"country": "AQ"}}


@pytest.mark.parametrize("per_minute", [1, 6_000])
@pytest.mark.parametrize("step", REFUSED)
def test_refusals_raise_no_alarm(step: str, per_minute: int) -> None:
    """Lambda counts a refusal as an error; the step counts it too, and the alarms subtract it."""
    name = f"{step}Function"
    function = resolve(functions()[name]["FunctionName"], "prod")
    event = json.loads((PROJECT / "events" / f"{_snake(step)}.json").read_text("utf-8"))
    event["order"] |= REFUSED[step]
    refused = invoke_with(name, json.dumps(event), "prod", "2", fails=False)
    metrics = Metrics()
    for minute in range(5):
        count(metrics, function, "2", refused, minute * 60, per_minute)

    assert refused.error.partition(":")[0].endswith(("DeclinedError", "UndeliverableError"))
    assert metrics.firing("prod", 300) == set()


@pytest.mark.parametrize("step", REFUSED)
def test_failure_among_many_refusals_raises_an_alarm(step: str) -> None:
    name = f"{step}Function"
    function = resolve(functions()[name]["FunctionName"], "prod")
    metrics = Metrics()
    count(metrics, function, "2", invoke(name, "prod", "2", fails=True), 0, 10)
    count(metrics, function, "2", invoke(name, "prod", "2", fails=False), 0, 90)

    assert len(metrics.firing("prod", 300)) == 1


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize("name", ["NotifyCustomer", *(undo for _, undo in TOGETHER)])
def test_failed_step_is_parked_and_retried_when_resumed(name: str) -> None:
    parked = f"Park{name}"

    assert caught(name) == {"States.ALL": parked}
    assert caught(parked) == {"TryAgainError": name, "States.Timeout": name}
    assert STATES[parked].get("Next") == STATES[name].get("Next")


@pytest.mark.parametrize("name", ["NotifyCustomer", *(undo for _, undo in TOGETHER)])
def test_failure_without_a_cause_is_parked(name: str) -> None:
    """An expression that finds nothing is an error, and would end the workflow half-done."""
    [catch] = STATES[name]["Catch"]
    cause = "$states.errorOutput.Cause"

    assert catch["Assign"]["cause"] == f"{{% $exists({cause}) ? {cause} : '' %}}"


@pytest.mark.parametrize("name", PARKING)
def test_parked_case_has_everything_that_an_operator_needs(name: str) -> None:
    case = PARKING[name]["Arguments"]["MessageBody"]

    assert case.keys() == {"input", "step", "error", "cause", "execution", "task_token"}
    assert case["step"] == name.removeprefix("Park")
    assert "$states.context.Task.Token" in case["task_token"]


@pytest.mark.parametrize("name", PARKING)
def test_case_is_parked_again_before_its_message_expires(name: str) -> None:
    [url] = named(MACHINE["DefinitionSubstitutions"]["ParkedQueueUrl"])
    queue = resources("AWS::SQS::Queue")[url]["Properties"]

    assert queue["MessageRetentionPeriod"] == 14 * DAY
    assert 13 * DAY < PARKING[name]["TimeoutSeconds"] < queue["MessageRetentionPeriod"]


def test_workflow_timeout_is_longer_than_parking_and_shorter_than_records() -> None:
    parked = sum(state["TimeoutSeconds"] for state in PARKING.values())
    days = {
        int(function["Environment"]["Variables"]["STEPS_DAYS"])
        for function in functions().values()
        if "STEPS_DAYS" in function["Environment"]["Variables"]
    }

    assert parked < WORKFLOW["TimeoutSeconds"] < min(days) * DAY


def test_every_placeholder_has_a_value_and_every_value_is_used() -> None:
    text = (PROJECT / MACHINE["DefinitionUri"]).read_text("utf-8")

    assert set(re.findall(r"\$\{(\w+)\}", text)) == MACHINE["DefinitionSubstitutions"].keys()


def test_workflow_role_has_exactly_the_permissions_of_its_states() -> None:
    [role] = named(MACHINE["Role"])
    may = {
        action: statement["Resource"]
        for statement in lasting_statements_of(role)
        for action in as_list(statement["Action"])
        if not action.startswith(("logs:", "xray:"))
    }

    assert may.keys() == {"lambda:InvokeFunction", "sqs:SendMessage"}
    assert sorted(r["Fn::Sub"] for r in may["lambda:InvokeFunction"]) == sorted(
        f"${{{name}Function.Arn}}:live" for name in STEPS
    )
    assert may["sqs:SendMessage"] == [{"Fn::GetAtt": "ParkedQueue.Arn"}]


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
def test_first_case_that_needs_an_operator_raises_an_alarm(namespace: str, metric: str) -> None:
    metrics = Metrics()
    metrics.put(namespace, metric, _dimensions(namespace), 0, 1)

    assert len(metrics.firing("prod", 60)) == 1


def _dimensions(namespace: str) -> dict[str, str]:
    [machine] = MACHINES
    if namespace == "AWS/States":
        return {"StateMachineArn": resolve({"Ref": machine}, "prod")}
    return {"QueueName": resolve({"Fn::GetAtt": "ParkedQueue.QueueName"}, "prod")}


def test_throttled_executions_raise_an_alarm() -> None:
    metrics = Metrics()
    for minute in range(3):
        metrics.put("AWS/States", "ExecutionThrottled", _dimensions("AWS/States"), minute * 60, 1)

    assert len(metrics.firing("prod", 180)) == 1


def test_second_alarm_fires_when_cases_are_parked_for_days() -> None:
    fired = []
    for days in (2, 6):
        metrics = Metrics()
        for hour in range(days * 24):
            visible = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
            metrics.put(*visible, _dimensions("AWS/SQS"), hour * 3_600, 1)
        fired.append(len(metrics.firing("prod", days * DAY)))

    assert fired == [0, 1]


def test_picture_in_the_readme_matches_the_definition() -> None:
    """`make diagram` draws it again."""
    readme = PROJECT / "README.md"

    assert readme.read_text("utf-8") == redrawn(readme)
