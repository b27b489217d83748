"""The API keeps what openapi.yaml says: whatever is sent, the answer is one of those there."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_aws.stack import Stack
from scripts.callers import Call, caller
from scripts.signed_request import Answer
from tests.openapi import Operation, mistakes, operations, schema_in, values

# Answers of API Gateway to those it does not let in; they are there for every operation.
GATEWAY = {"401", "403", "429"}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
a_few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
each_operation = pytest.mark.parametrize(
    "operation", operations(), ids=lambda found: f"{found.method} {found.path}"
)


@pytest.fixture(scope="session")
def call(stack: Stack) -> Call:
    return caller(stack)


def send(call: Call, operation: Operation, given: dict[str, Any], body: str | None) -> Answer:
    """Send a request with these parameters, each where the document says."""
    path, query, headers = operation.path, {}, {}
    for parameter in operation.parameters:
        name = parameter["name"]
        if name not in given:
            continue
        match parameter["in"]:
            case "path":
                path = path.replace(f"{{{name}}}", quote(given[name], safe=""))
            case "query":
                query[name] = given[name]
            case "header":
                headers[name] = given[name]
    return call(operation.method, f"{path}?{urlencode(query)}" if query else path, body, **headers)


def assert_documented(operation: Operation, answer: Answer) -> None:
    status = str(answer.status)
    assert status in operation.responses.keys() | GATEWAY, answer.body
    documented = operation.responses.get(status, operation.responses.get("400"))
    assert documented
    if "content" in documented:
        assert answer.content_type in documented["content"]
        assert not list(mistakes(answer.json, schema_in(documented)))
    for name, header in documented.get("headers", {}).items():
        assert name in answer.headers, header


@each_operation
@a_few
@given(data=st.data())
def test_a_request_as_documented_gets_an_answer_as_documented(
    call: Call, operation: Operation, data: st.DataObject
) -> None:
    given = {
        parameter["name"]: data.draw(values(parameter["schema"]))
        for parameter in operation.parameters
        if parameter.get("required") or data.draw(st.booleans())
    }
    body = json.dumps(data.draw(values(operation.body))) if operation.body else None

    answer = send(call, operation, given, body)

    assert_documented(operation, answer)
    assert answer.status != 400, "what fits the document is understood"


@each_operation
@a_few
@given(data=st.data())
def test_any_other_request_gets_an_answer_as_documented_too(
    call: Call, operation: Operation, data: st.DataObject
) -> None:
    as_header = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
    given = {
        parameter["name"]: data.draw(as_header)
        for parameter in operation.parameters
        if parameter["in"] == "path" or data.draw(st.booleans())
    }
    body = data.draw(anything.map(json.dumps) | st.text(max_size=30)) if operation.body else None

    assert_documented(operation, send(call, operation, given, body))


@each_operation
def test_a_parameter_that_is_required_is_required(call: Call, operation: Operation) -> None:
    body = json.dumps({"name": "teapot", "quantity": 2}) if operation.body else None
    examples = {"id": "0" * 32, "If-Match": '"1"', "Idempotency-Key": "0" * 16}
    required = [found["name"] for found in operation.parameters if found.get("required")]

    for name in set(required) - {"id"}:
        given = {other: examples[other] for other in required if other != name}
        answer = send(call, operation, given, body)
        assert answer.status in (400, 428)
        assert_documented(operation, answer)
