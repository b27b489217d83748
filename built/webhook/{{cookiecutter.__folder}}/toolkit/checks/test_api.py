"""The REST API: who gets in, how much, and what is on record, in every environment."""

import json
import re
from typing import Any

import pytest

from toolkit.checks.cloudwatch import Metrics
from toolkit.checks.invocations import CRASH, Invocation, count
from toolkit.template import ENVIRONMENTS, apis, functions, named, resolve, resources

ROUTES = [
    pytest.param(function, event["Properties"], id=f"{name}.{event_name}")
    for name, function in functions().items()
    for event_name, event in function.get("Events", {}).items()
    if event["Type"] == "Api"
]
every_api = pytest.mark.parametrize(
    "api", [pytest.param(api, id=name) for name, api in apis().items()]
)
# Variables of access logs that cannot break JSON, with what AWS says of their values:
# docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
SAFE_IN_JSON = {
    "$context.error.responseType": "a type of gateway response, such as ACCESS_DENIED",
    "$context.httpMethod": "one of DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT",
    "$context.integration.integrationStatus": "the status code of Lambda itself",
    "$context.integration.status": "the status code that the function returned",
    "$context.requestId": "an id that API Gateway makes up",
    "$context.requestTimeEpoch": "a time in milliseconds",
    "$context.resourcePath": "the path of the resource, as the template has it",
    "$context.responseLatency": "milliseconds",
    "$context.status": "the status code of the response",
}
every_environment = pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])


@pytest.mark.parametrize(("function", "route"), ROUTES)
def test_no_route_has_rules_of_its_own_for_who_gets_in(
    function: dict[str, Any], route: dict[str, Any]
) -> None:
    """The API's authorizer decides for all of them."""
    assert named(route["RestApiId"]) & apis().keys()
    assert "Auth" not in route


@every_environment
@every_api
def test_requests_are_limited(api: dict[str, Any], environment: str) -> None:
    [everything] = api["MethodSettings"]

    assert (everything["HttpMethod"], everything["ResourcePath"]) == ("*", "/*")
    assert int(resolve(everything["ThrottlingRateLimit"], environment)) >= 1
    assert int(resolve(everything["ThrottlingBurstLimit"], environment)) >= 1


@every_api
def test_requests_are_logged_and_traced(api: dict[str, Any]) -> None:
    [log] = named(api["AccessLogSetting"]["DestinationArn"])

    assert log in resources("AWS::Logs::LogGroup")
    assert api["TracingEnabled"] is True


def alarms_after(api: dict[str, Any], environment: str, metrics: Metrics, now: int) -> set[str]:
    """The alarms that are in ALARM; they name the API by the stack."""
    assert api["Name"] == {"Ref": "AWS::StackName"}
    return metrics.firing(environment, now)


@pytest.mark.parametrize(
    ("failed", "requests", "mails"),
    [
        pytest.param(1, 5, 1, id="one lost call at one a minute"),
        pytest.param(1, 60_000, 0, id="one lost call at 200 a second"),
        pytest.param(600, 60_000, 1, id="one in a hundred at 200 a second"),
    ],
)
@pytest.mark.parametrize(("function", "route"), ROUTES)
@every_api
def test_lost_calls_send_one_mail_and_not_several(
    api: dict[str, Any],
    function: dict[str, Any],
    route: dict[str, Any],
    failed: int,
    requests: int,
    mails: int,
) -> None:
    """Of few requests one lost is enough for a mail, of many it takes a share of them."""
    metrics = Metrics()
    name = resolve(function["FunctionName"], "prod")
    count(metrics, name, "1", CRASH, 0, failed)
    count(metrics, name, "1", Invocation(), 0, requests - failed)
    answered = {"ApiName": resolve(api["Name"], "prod")}
    metrics.put("AWS/ApiGateway", "5XXError", answered, 0, 1, failed)
    metrics.put("AWS/ApiGateway", "5XXError", answered, 0, 0, requests - failed)
    metrics.put("AWS/ApiGateway", "Latency", answered, 0, 100, requests)

    # The function's own alarm is for more than a call or two; here the share is too small for it.
    assert len(alarms_after(api, "prod", metrics, 300)) == mails


@every_environment
@every_api
def test_slow_answers_raise_an_alarm_before_api_gateway_gives_up(
    api: dict[str, Any], environment: str
) -> None:
    answered = {"ApiName": resolve(api["Name"], environment)}

    def alarms(milliseconds: int, minutes: int) -> int:
        metrics = Metrics()
        for minute in range(5):
            slow = minute < minutes
            took = milliseconds if slow else 100
            metrics.put("AWS/ApiGateway", "Latency", answered, 60 * minute, took)
        return len(alarms_after(api, environment, metrics, 300))

    # API Gateway waits for 29 seconds, unless the quota was raised.
    assert alarms(milliseconds=20_000, minutes=3) == 1
    assert alarms(milliseconds=1_000, minutes=5) == 0
    assert alarms(milliseconds=20_000, minutes=1) == 0, "a cold start is no reason to look"


@every_api
def test_every_line_of_the_access_log_is_json(api: dict[str, Any]) -> None:
    """API Gateway escapes no value: `$context.error.message` or a path may hold a quote."""
    form = api["AccessLogSetting"]["Format"]
    variables = re.findall(r"\$context[\w.]+", form)

    assert set(variables) <= SAFE_IN_JSON.keys()
    line = json.loads(form)
    # Each between quotes: where there is no value, API Gateway writes a hyphen.
    assert sorted(line.values()) == sorted(variables)


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX"])
@every_api
def test_what_api_gateway_answers_by_itself_is_a_problem_that_tells_nothing(
    api: dict[str, Any], kind: str
) -> None:
    response = api["GatewayResponses"][kind]

    headers = response["ResponseParameters"]["Headers"]
    assert headers["Content-Type"] == "'application/problem+json'"
    problem = json.loads(response["ResponseTemplates"]["application/json"])
    # The message may name roles and accounts; the status is not known when this is rendered.
    assert problem == {"type": "about:blank", "title": "$context.error.responseType"}


@every_environment
@pytest.mark.parametrize(("function", "route"), ROUTES)
def test_functions_give_up_before_api_gateway_does(
    function: dict[str, Any], route: dict[str, Any], environment: str
) -> None:
    """It waits for 29 seconds; a function that runs longer works in vain."""
    assert int(resolve(function["Timeout"], environment)) < 29
