"""Services on the local AWS ask IAM before they act for the stack, as those on AWS do.

Laid into toolkit/local_aws/gaps/ beside decisions.py, which then records them. ministack asks about requests only. What
is not here yet is not asked, so that its rights show up as unused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1, eventbridge, lambda_svc, scheduler, stepfunctions, sts

# What Lambda does with a function's role to take events from a source: the page of each under "Invoking Lambda with
# events from other AWS services" in docs.aws.amazon.com/lambda/latest/dg/lambda-services.html.
POLLING = {
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    "kinesis": ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator"),
    "sqs": ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage"),
}
LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
DENIED = {"error": True, "body": {"errorType": "AccessDeniedException", "errorMessage": "not authorized"}}

_polls: ContextVar[bool] = ContextVar("polls", default=False)
# The role of the workflow that a state belongs to.
_role_of_workflow: ContextVar[str | None] = ContextVar("role_of_workflow", default=None)


def is_needed() -> bool:
    """An unused right or a missing one would tell that ministack asks by itself."""
    return True


def close() -> None:
    """Let Lambda, Scheduler, Step Functions and API Gateway ask, and CloudFormation say with which role it will act."""
    _lambda_polls()
    _lambda_reports()
    _lambda_logs()
    _scheduler_acts()
    _step_functions_acts()
    _api_gateway_calls()
    _change_sets_name_their_role()


def may(role: str, action: str, resource: str) -> bool:
    """Whether a service that has assumed a role may do something; asked as if the role had sent a request."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    asked = _question(f"arn:aws:sts::{account}:assumed-role/{name}/service", "AssumedRole", action, resource)
    result = iam_evaluator.evaluate(asked, iam_evaluator._gather_role_policies(name, account))
    found = iam_evaluator._resource_policy(action.partition(":")[0], resource)
    if found is not None:
        result = iam_evaluator.combine_resource_policy(result, asked, *found)
    return bool(result.decision == "Allow")


def _refused(role: str, actions: Iterable[str], resource: str) -> list[str]:
    """Which of these actions a role may not do; each is asked about, so that each is recorded."""
    return [action for action in actions if not may(role, action, resource)]


def _question(principal: str, kind: str, action: str, resource: str, **keys: str) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,  # Services talk to each other over TLS.
        service_context={f"aws:{key}": value for key, value in keys.items()},
    )


def _role_of(function: dict[str, Any]) -> str:
    return str((function.get("config") or function)["Role"])


def _lambda_polls() -> None:
    execute = lambda_svc._execute_function

    def as_poller(poll: Callable[..., Any]) -> Callable[..., Any]:
        def polling(*arguments: Any) -> Any:
            token = _polls.set(True)
            try:
                return poll(*arguments)
            finally:
                _polls.reset(token)

        return polling

    def asking(function: dict[str, Any], event: Any) -> Any:
        if _polls.get():
            source = event["Records"][0]["eventSourceARN"]
            service = source.split(":")[2]
            if _refused(_role_of(function), [f"{service}:{action}" for action in POLLING[service]], source):
                return DENIED
        return execute(function, event)

    lambda_svc._execute_function = asking
    for poller in ("_run_sqs_batch", "_poll_kinesis", "_poll_dynamodb_streams"):
        setattr(lambda_svc, poller, as_poller(getattr(lambda_svc, poller)))


def _lambda_reports() -> None:
    """The records of a table's stream that Lambda gave up go to a queue.

    docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    report = lambda_svc._send_ddb_stream_failure_record

    def asking(mapping: dict[str, Any], function: dict[str, Any], *rest: Any) -> None:
        queue = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        if not _refused(_role_of(function), ["sqs:SendMessage"], queue):
            report(mapping, function, *rest)

    lambda_svc._send_ddb_stream_failure_record = asking


def _lambda_logs() -> None:
    emit = lambda_svc._emit_lambda_logs

    def asking(function: dict[str, Any], *rest: Any, **options: Any) -> None:
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        stream = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:{config['Version']}"
        if not _refused(config["Role"], LOGGING, stream):
            emit(function, *rest, **options)

    lambda_svc._emit_lambda_logs = asking


def _scheduler_acts() -> None:
    """Who hands it a role has to be allowed that; and it sends to a queue with the role.

    docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html
    """
    handle, invoke = scheduler.handle_request, eventbridge._invoke_target

    async def asking_caller(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        if method in ("POST", "PUT") and path.startswith("/schedules/"):
            key = headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
            if session := sts._sessions.get(key):
                given = json.loads(body)["Target"]["RoleArn"]
                asked = _question(session["Arn"], "AssumedRole", "iam:PassRole", given)
                asked.service_context["iam:passedtoservice"] = "scheduler.amazonaws.com"
                policies = iam_evaluator._gather_role_policies(session["Arn"].split("/")[1], get_account_id())
                if iam_evaluator.evaluate(asked, policies).decision != "Allow":
                    return scheduler._error(403, "AccessDeniedException", f"iam:PassRole on {given}")
        return await handle(method, path, headers, body, query)

    def asking_role(target: dict[str, Any], event: dict[str, Any], *rest: Any) -> None:
        from_schedule = event.get("Source") == "aws.scheduler" and ":sqs:" in target["Arn"]
        if not (from_schedule and _refused(target["RoleArn"], ["sqs:SendMessage"], target["Arn"])):
            invoke(target, event, *rest)

    scheduler.handle_request, eventbridge._invoke_target = asking_caller, asking_role


def _step_functions_acts() -> None:
    execute, call = stepfunctions._execute_task, stepfunctions._call_lambda

    def with_role(state: Any, given: Any, execution: dict[str, Any], context: Any) -> Any:
        machine = stepfunctions._state_machines[execution["stateMachineArn"]]
        token = _role_of_workflow.set(machine["roleArn"])
        try:
            return execute(state, given, execution, context)
        finally:
            _role_of_workflow.reset(token)

    def ask(action: str, resource: str) -> None:
        role = _role_of_workflow.get()
        if role and not may(role, action, resource):
            service = action.partition(":")[0].capitalize()
            message = f"not authorized to perform {action} on {resource}"
            raise stepfunctions._ExecutionError(f"{service}.AccessDeniedException", message)

    def calling(function: str, event: Any) -> Any:
        found = lambda_svc._get_func_record_for_ref(function)[1] or {}
        ask("lambda:InvokeFunction", function if function.startswith("arn:") else found.get("FunctionArn", "*"))
        return call(function, event)

    def integrating(integration: Callable[..., Any]) -> Callable[..., Any]:
        def asking(resource: str, arguments: dict[str, Any]) -> Any:
            # arn:aws:states:::sqs:sendMessage.waitForTaskToken, or with aws-sdk: before the service
            service, operation = resource.partition(".")[0].split(":")[-2:]
            body = json.dumps(arguments).encode()
            place = get_region(), get_account_id()
            on = iam_actions.extract_resource_arn(service, "POST", "/", {}, body, arguments, *place)
            ask(f"{service}:{operation[0].upper()}{operation[1:]}", on)
            return integration(resource, arguments)

        return asking

    stepfunctions._execute_task, stepfunctions._call_lambda = with_role, calling
    for name, integration in stepfunctions._SERVICE_DISPATCH.items():
        stepfunctions._SERVICE_DISPATCH[name] = integrating(integration)
    stepfunctions._invoke_aws_sdk_integration = integrating(stepfunctions._invoke_aws_sdk_integration)


def _api_gateway_calls() -> None:
    """A function's own policy says which routes of which API may call it."""
    call = apigateway_v1._call_lambda_raw

    async def asking(function: str, event: dict[str, Any], **options: Any) -> Any:
        about = event["requestContext"]
        api = f"arn:aws:execute-api:{get_region()}:{get_account_id()}:{about['apiId']}"
        source = f"{api}/{about['stage']}/{about['httpMethod']}{about['resourcePath']}"
        keys = {"sourcearn": source, "sourceaccount": get_account_id()}
        asked = _question("*", "Service", "lambda:InvokeFunction", function, **keys)
        policy, _ = lambda_svc.function_policy_for_arn(function)
        answer = iam_evaluator.evaluate_resource_policy(policy, asked, "apigateway.amazonaws.com")
        if answer.decision != "Allow":
            return None, f"{source} may not call {function}"
        return await call(function, event, **options)

    apigateway_v1._call_lambda_raw = asking


def _change_sets_name_their_role() -> None:
    """A policy may say as which role CloudFormation is to act."""
    context = iam_actions.request_tag_context

    def with_role(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = context(service, action, body, parameters)
        if action == "cloudformation:CreateChangeSet":
            found["cloudformation:RoleArn"] = iam_actions._query_param(parameters, "RoleARN")
        return found

    iam_actions.request_tag_context = with_role
