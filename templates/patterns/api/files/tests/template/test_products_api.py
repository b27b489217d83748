"""How the API is wired: its routes, who gets in, what web pages may do, and its tables."""

from typing import Any

import msgspec
import pytest
import yaml

from service.domain.products import Content, Product
from toolkit.checks.cloudwatch import Metrics
from toolkit.stacks import PROJECT
from toolkit.template import (
    ENVIRONMENTS,
    alarms_on,
    apis,
    as_list,
    functions,
    parameters,
    resolve,
    resources,
    statements,
    template,
)

[API] = apis().values()
PATHS: dict[str, dict[str, Any]] = API["DefinitionBody"]["paths"]
ROUTES = {
    (event["Properties"]["Method"].upper(), event["Properties"]["Path"]): name
    for name, function in functions().items()
    for event in function.get("Events", {}).values()
    if event["Type"] == "Api"
}
DOCUMENT = yaml.safe_load((PROJECT / "openapi.yaml").read_text("utf-8"))
# Of the types, and of those within them.
SCHEMAS = msgspec.json.schema_components(
    [Content, Product], ref_template="#/components/schemas/{name}"
)[1]
ALL_OTHERS = "x-amazon-apigateway-any-method"
ORIGIN = {"Fn::Sub": "'${AllowedOrigin}'"}
MOCKS = [
    pytest.param(operation, id=f"{method} {path}")
    for path, item in PATHS.items()
    for method, operation in item.items()
]


def methods_of(path: str) -> list[str]:
    return sorted({"OPTIONS", *(method for method, found in ROUTES if found == path)})


def answered(operation: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = operation["x-amazon-apigateway-integration"]["responses"]["default"]
    return answer


def headers_of(operation: dict[str, Any]) -> dict[str, Any]:
    found = answered(operation)["responseParameters"].items()
    return {name.removeprefix("method.response.header."): value for name, value in found}


def portable(schema: Any) -> Any:
    """A schema without titles and descriptions, and without what only Python needs in patterns."""
    if isinstance(schema, dict):
        texts = [name for name in ("title", "description") if isinstance(schema.get(name), str)]
        return {name: portable(part) for name, part in schema.items() if name not in texts}
    if isinstance(schema, list):
        return [portable(part) for part in schema]
    return schema.removesuffix(r"(?!\n)") if isinstance(schema, str) else schema


def test_every_route_has_its_own_function() -> None:
    assert len(ROUTES) == len(set(ROUTES.values()))


def test_openapi_document_describes_exactly_the_routes() -> None:
    paths = DOCUMENT["paths"]

    assert set(ROUTES) == {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item.keys() - {"parameters"}
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_openapi_schemas_match_the_types(name: str) -> None:
    """After a change of a type, change its schema in openapi.yaml as the error shows."""
    assert DOCUMENT["components"]["schemas"][name] == portable(SCHEMAS[name])


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
def test_every_path_names_its_methods(path: str) -> None:
    methods = methods_of(path)

    allowed = headers_of(PATHS[path]["options"])
    assert allowed["Access-Control-Allow-Methods"] == f"'{','.join(methods)}'"
    refused = PATHS[path][ALL_OTHERS]
    assert answered(refused)["statusCode"] == "405"
    assert headers_of(refused)["Allow"] == f"'{', '.join(methods)}'"


@pytest.mark.parametrize("operation", MOCKS)
def test_answers_of_api_gateway_need_no_authorization(
    operation: dict[str, Any],
) -> None:
    """A browser signs no preflight request. Headers have to be declared to be sent."""
    assert operation["security"] == [{"NONE": []}]
    assert headers_of(operation)["Access-Control-Allow-Origin"] == ORIGIN
    declared = operation["responses"][answered(operation)["statusCode"]]["headers"]
    assert declared.keys() == headers_of(operation).keys()


@pytest.mark.parametrize("operation", MOCKS)
def test_body_of_another_content_type_gets_415(operation: dict[str, Any]) -> None:
    """docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html.

    What is passed through says no status code, which a mock integration answers with 500.
    """
    integration = operation["x-amazon-apigateway-integration"]

    assert integration["type"] == "mock"
    assert integration["passthroughBehavior"] == "never"
    assert list(integration["requestTemplates"]) == ["application/json"]


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX"])
def test_web_pages_may_read_errors_of_api_gateway(kind: str) -> None:
    headers = API["GatewayResponses"][kind]["ResponseParameters"]["Headers"]

    assert headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_web_pages_come_from_one_origin_over_tls(environment: str) -> None:
    origin = parameters(environment)["AllowedOrigin"]

    assert "*" not in origin
    # Empty until somebody has decided: prod is not deployed then.
    assert origin.startswith("https://") or origin in ("none", "") or environment == "dev"
    assert "example.com" not in origin or environment == "prod", "that is a placeholder"


def test_prod_requires_an_allowed_origin() -> None:
    rule = template()["Rules"]["ProdNamesItsWebPages"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Environment"}, "prod"]}
    [assertion] = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedOrigin"}, ""]}]}
    assert "samconfig.toml" in assertion["AssertDescription"]


# {% if cookiecutter.authentication == "IAM" %}
def test_callers_sign_requests_with_their_own_credentials() -> None:
    assert API["Auth"] == {
        "DefaultAuthorizer": "AWS_IAM",
        "InvokeRole": "NONE",
        "AddDefaultAuthorizerToCorsPreflight": False,
    }


# {% elif cookiecutter.authentication == "JWT" %}
def test_callers_are_users_of_the_pool() -> None:
    assert API["Auth"] == {
        "DefaultAuthorizer": "Users",
        "Authorizers": {"Users": {"UserPoolArn": {"Fn::GetAtt": "UserPool.Arn"}}},
        "AddDefaultAuthorizerToCorsPreflight": False,
    }


def test_users_are_created_by_administrators_and_retained() -> None:
    [pool] = resources("AWS::Cognito::UserPool").values()

    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Properties"]["DeletionProtection"] == {"Fn::If": ["IsProd", "ACTIVE", "INACTIVE"]}
    assert pool["DeletionPolicy"] == "RetainExceptOnCreate"
    assert pool["UpdateReplacePolicy"] == "Retain"


def test_token_expires_after_an_hour() -> None:
    [client] = resources("AWS::Cognito::UserPoolClient").values()
    properties = client["Properties"]

    assert "GenerateSecret" not in properties, "a web page can keep none"
    for kind in ("AccessToken", "IdToken"):
        assert properties["TokenValidityUnits"][kind] == "hours"
        assert properties[f"{kind}Validity"] == 1


# {% else %}
def test_anyone_may_call() -> None:
    assert API["Auth"] == {
        "DefaultAuthorizer": "NONE",
        "AddDefaultAuthorizerToCorsPreflight": False,
    }


# {% endif %}
def test_no_function_may_scan_a_table() -> None:
    """A scan reads, and pays for, all there is."""
    allowed = {
        action
        for function in functions().values()
        for statement in statements(function)
        for action in as_list(statement["Action"])
    }

    assert "dynamodb:Query" in allowed
    assert "dynamodb:Scan" not in allowed


def test_each_owner_has_a_partition() -> None:
    keys = resources("AWS::DynamoDB::Table")["ProductsTable"]["Properties"]["KeySchema"]

    assert [(key["AttributeName"], key["KeyType"]) for key in keys] == [
        ("owner", "HASH"),
        ("id", "RANGE"),
    ]


def test_alarm_fires_when_a_partition_is_throttled() -> None:
    [alarm] = alarms_on("AWS/DynamoDB WriteThrottleEvents", {"Ref": "ProductsTable"}).values()
    metrics = Metrics()
    table = {"TableName": resolve({"Ref": "ProductsTable"}, "prod")}
    for minute in range(3):
        metrics.put("AWS/DynamoDB", "WriteThrottleEvents", table, 60 * minute, 1)

    assert metrics.state(alarm, "prod", 60) == "OK"
    assert metrics.state(alarm, "prod", 180) == "ALARM"
    assert metrics.state(alarm, "prod", 600) == "OK", "it is over"


def test_create_is_recorded_for_days() -> None:
    variables = functions()["CreateProductFunction"]["Environment"]["Variables"]

    assert int(variables["IDEMPOTENCY_DAYS"]) >= 1


@pytest.mark.parametrize("name", sorted(ROUTES.values()))
def test_one_setting_provisions_concurrency_for_every_route(name: str) -> None:
    assert functions()[name]["ProvisionedConcurrencyConfig"] == {
        "Fn::If": [
            "KeepsFunctionsWarm",
            {"ProvisionedConcurrentExecutions": {"Ref": "ProvisionedConcurrency"}},
            {"Ref": "AWS::NoValue"},
        ]
    }
