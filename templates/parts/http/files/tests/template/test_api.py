"""The REST API: who gets in, how much, and what is on record, in every environment."""

import json
import re
from typing import Any

import pytest

from scripts.shipped import ENVIRONMENTS, alarms_on, apis, functions, named, resolve, resources

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
def test_requests_are_logged_traced_and_counted(api: dict[str, Any]) -> None:
    [log] = named(api["AccessLogSetting"]["DestinationArn"])

    assert log in resources("AWS::Logs::LogGroup")
    assert api["TracingEnabled"] is True
    [alarm] = alarms_on("AWS/ApiGateway 5XXError", api["Name"]).values()
    assert alarm["Statistic"] == "Sum"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)


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
    """It waits for 29 seconds; a function that goes on works for nobody."""
    assert int(resolve(function["Timeout"], environment)) < 29
