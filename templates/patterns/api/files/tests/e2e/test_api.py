"""The API on the local AWS: no product is lost, doubled, overwritten unseen or listed twice."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts import callers
from scripts.callers import Call
from tests.smoke import test_deployed as smoke
from toolkit import template as project
from toolkit.local_aws.stack import Stack
from toolkit.signed_request import Answer
from toolkit.signed_request import call as http_call

ORIGIN = "http://localhost:3000"
WRITE = "DynamoDB_20120810.TransactWriteItems"
TEAPOT = {"name": "teapot", "quantity": 2}
NOWHERE = "/products/" + "0" * 32


@pytest.fixture(scope="session")
def call(stack: Stack) -> Call:
    return callers.caller(stack)


def new_key() -> str:
    return str(uuid.uuid4())


def text(**changes: Any) -> str:
    return json.dumps(TEAPOT | changes)


def created(call: Call, **content: Any) -> Any:
    answer = call("POST", "/products", text(**content), idempotency_key=new_key())
    assert answer.status == 201, answer.body
    return answer.json


def stored(stack: Stack) -> dict[str, Any]:
    """The rows of the table, by id."""
    pages = stack.aws.client("dynamodb").get_paginator("scan")
    found = pages.paginate(TableName=stack.outputs["ProductsTable"], ConsistentRead=True)
    return {row["id"]["S"]: row for page in found for row in page["Items"]}


def assert_problem(answer: Answer, status: int) -> None:
    """Problem details that a web page may read, and that tell nothing about how we are built."""
    assert answer.status == status, answer.body
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert (
        {"type", "title"} <= answer.json.keys() <= {"type", "title", "status", "detail", "errors"}
    )
    for inside in ("Traceback", "arn:aws", "dynamodb", "service.", "Lambda"):
        assert inside not in answer.body


def test_a_product_is_created_read_changed_and_deleted(call: Call) -> None:
    answer = call("POST", "/products", text(), idempotency_key=new_key())
    path = f"/products/{answer.json['id']}"

    assert answer.status == 201
    assert answer.json == {"id": answer.json["id"], "version": 1, **TEAPOT}
    assert answer.headers["ETag"] == '"1"'
    assert f"/{answer.headers['Location']}" == path

    read = call("GET", path)
    assert (read.status, read.json, read.headers["ETag"]) == (200, answer.json, '"1"')

    changed = call("PUT", path, text(quantity=1), if_match=read.headers["ETag"])
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json == {**answer.json, "version": 2, "quantity": 1}
    assert call("GET", path).json == changed.json

    gone = call("DELETE", path, if_match='"2"')
    assert (gone.status, gone.body) == (204, "")
    assert_problem(call("GET", path), 404)


# --- Optimistic locking ---


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_change_without_if_match_gets_428(call: Call, method: str) -> None:
    product = created(call)
    path = f"/products/{product['id']}"

    assert_problem(call(method, path, text(quantity=1)), 428)
    assert_problem(call(method, path, text(quantity=1), if_match='"9"'), 412)
    assert_problem(call(method, path, text(quantity=1), if_match="1"), 400)

    assert call("GET", path).json == product


def test_if_match_star_changes_any_version(call: Call) -> None:
    path = f"/products/{created(call)['id']}"

    changed = call("PUT", path, text(quantity=1), if_match="*")
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    assert call("PUT", path, text(quantity=5), if_match="*").json["version"] == 3

    assert call("DELETE", path, if_match="*").status == 204
    assert_problem(call("PUT", path, text(), if_match="*"), 404)
    assert_problem(call("DELETE", path, if_match="*"), 404)
    assert_problem(call("GET", path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_missing_product_gets_404(call: Call, method: str) -> None:
    for path in (NOWHERE, "/products/no-id-at-all"):
        body = None if method == "GET" else text()
        assert_problem(call(method, path, body, if_match='"1"'), 404)


def test_concurrent_writers_one_wins_and_others_get_412(call: Call) -> None:
    product = created(call)
    path = f"/products/{product['id']}"

    def write(version: int, quantity: int) -> Answer:
        return call("PUT", path, text(quantity=quantity), if_match=f'"{version}"')

    # The first race is one of cold starts.
    for version in range(1, 6):
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(write, [version] * 4, range(4)))

        assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
        [won] = [answer for answer in answers if answer.status == 200]
        assert call("GET", path).json == won.json


# --- Idempotent create ---


def test_concurrent_identical_creates_make_one_product(call: Call, stack: Stack) -> None:
    key = new_key()
    before = stored(stack)

    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: call("POST", "/products", text(), idempotency_key=key), range(8))
        )

    # 409 is for a caller whose other request is under way at that very moment.
    assert {answer.status for answer in answers} <= {201, 409}
    again = call("POST", "/products", text(), idempotency_key=key)
    assert {answer.body for answer in answers if answer.status == 201} == {again.body}
    assert stored(stack).keys() - before.keys() == {again.json["id"]}


def test_repeated_create_gets_its_first_answer_after_a_change(call: Call) -> None:
    key = new_key()
    first = call("POST", "/products", text(), idempotency_key=key)
    path = f"/products/{first.json['id']}"
    changed = call("PUT", path, text(quantity=1), if_match='"1"')

    again = call("POST", "/products", text(), idempotency_key=key)

    assert (again.status, again.body) == (201, first.body)
    assert call("GET", path).json == changed.json


def test_reused_key_with_different_content_is_refused(call: Call, stack: Stack) -> None:
    key = new_key()
    call("POST", "/products", text(), idempotency_key=key)
    before = stored(stack)

    assert_problem(call("POST", "/products", text(quantity=3), idempotency_key=key), 422)

    assert stored(stack) == before


def test_create_without_a_key_gets_400(call: Call, stack: Stack) -> None:
    before = stored(stack)

    assert_problem(call("POST", "/products", text()), 400)
    assert_problem(call("POST", "/products", text(), idempotency_key="short"), 400)

    assert stored(stack) == before


@pytest.mark.parametrize("moment", ["crash before", "crash after"])
def test_create_can_be_retried_after_a_crash(call: Call, stack: Stack, moment: Any) -> None:
    key, before = new_key(), stored(stack)
    stack.aws.fail(WRITE, moment)

    # Its body is the local AWS's own; that of API Gateway is held by tests/template.
    assert call("POST", "/products", text(), idempotency_key=key).status == 502
    answer = call("POST", "/products", text(), idempotency_key=key)

    assert answer.status == 201
    assert stored(stack).keys() - before.keys() == {answer.json["id"]}


def test_throttled_table_is_retried(call: Call, stack: Stack) -> None:
    stack.aws.fail(WRITE, "throttle")

    assert call("POST", "/products", text(), idempotency_key=new_key()).status == 201


def test_throttled_table_gets_503_with_retry_after(call: Call, stack: Stack) -> None:
    key = new_key()
    # As often as the client tries it.
    stack.aws.fail(WRITE, "throttle", times=2)

    refused = call("POST", "/products", text(), idempotency_key=key)

    assert_problem(refused, 503)
    assert int(refused.headers["Retry-After"]) > 0
    assert call("POST", "/products", text(), idempotency_key=key).status == 201


# --- Pages ---


def test_pages_have_every_product_once_during_writes(call: Call) -> None:
    with ThreadPoolExecutor(4) as pool:
        there = {product["id"]: product for product in pool.map(lambda _: created(call), range(24))}
    going = sorted(there)[::4]
    seen: list[str] = []
    cursor = ""

    while cursor is not None:
        page = call("GET", f"/products?limit=7{cursor and f'&cursor={cursor}'}").json
        assert len(page["products"]) <= 7
        seen += [product["id"] for product in page["products"]]
        cursor = page["next_cursor"]
        created(call)
        if going:
            gone = going.pop()
            call("DELETE", f"/products/{gone}", if_match='"1"')
            there.pop(gone)

    assert len(seen) == len(set(seen))
    assert there.keys() <= set(seen)


def test_cursor_works_after_its_product_was_deleted(call: Call) -> None:
    for _ in range(3):
        created(call)
    first = call("GET", "/products?limit=2").json
    rest = call("GET", f"/products?limit=100&cursor={first['next_cursor']}").json["products"]
    last = first["products"][-1]
    call("DELETE", f"/products/{last['id']}", if_match=f'"{last["version"]}"')

    again = call("GET", f"/products?limit=100&cursor={first['next_cursor']}").json["products"]

    assert again == rest


@pytest.mark.parametrize(
    "query",
    [
        "cursor=forged",
        "cursor=",
        "cursor=" + "_" * 22,
        "cursor=" + "A" * 1_000,
        'cursor={"id":{"S":"x"}}',
        "limit=0",
        "limit=101",
        "limit=1e1",
        "limit=-1",
    ],
)
def test_invalid_cursor_or_limit_gets_400(call: Call, query: str) -> None:
    path = "/products?" + query.replace('"', "%22").replace("{", "%7B").replace("}", "%7D")

    assert_problem(call("GET", path), 400)


def test_page_with_all_remaining_products_is_the_last(call: Call) -> None:
    created(call)
    cursor, pages = "", []
    while cursor is not None:
        pages.append(call("GET", f"/products?limit=1{cursor and f'&cursor={cursor}'}").json)
        cursor = pages[-1]["next_cursor"]

    assert {len(page["products"]) for page in pages} == {1}


# --- Whose products ---


# {% if cookiecutter.authentication == "IAM" %}
def assumed(stack: Stack, role: str, session: str) -> Call:
    """Calls the API as a session of a role that may call all of it."""
    iam, sts = stack.aws.client("iam"), stack.aws.client("sts")
    account = sts.get_caller_identity()["Account"]
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    api = (
        f"arn:aws:execute-api:{stack.aws.region}:{account}:{stack.outputs['ApiId']}/v1/*/products*"
    )
    calling = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": api}
    try:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust))
        iam.put_role_policy(RoleName=role, PolicyName="call", PolicyDocument=policy(calling))
    except iam.exceptions.EntityAlreadyExistsException:
        pass  # Made by an earlier call.
    key = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName=session)[
        "Credentials"
    ]
    signer = type(stack.aws.session)(
        key["AccessKeyId"],
        key["SecretAccessKey"],
        key["SessionToken"],
        region_name=stack.aws.region,
    )
    return callers.caller(stack, {"session": signer})


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="session")
def somebody(stack: Stack) -> Call:
    return assumed(stack, "somebody", "first")


@pytest.fixture(scope="session")
def somebody_else(stack: Stack) -> Call:
    return assumed(stack, "somebody-else", "first")


def test_sessions_of_a_role_are_one_caller(stack: Stack, somebody: Call) -> None:
    product = created(somebody)

    again = assumed(stack, "somebody", "second")("GET", f"/products/{product['id']}")

    assert (again.status, again.json) == (200, product)


# {% elif cookiecutter.authentication == "JWT" %}
@pytest.fixture(scope="session")
def somebody(stack: Stack) -> Call:
    return callers.caller(stack, callers.identity_in(stack, "somebody"))


@pytest.fixture(scope="session")
def somebody_else(stack: Stack) -> Call:
    return callers.caller(stack, callers.identity_in(stack, "somebody-else"))


# {% endif %}
# {% if cookiecutter.authentication == "none" %}
def test_all_callers_share_all_products(call: Call, stack: Stack) -> None:
    product = created(call)

    assert anonymous(stack, "GET", f"/products/{product['id']}").json == product


# {% else %}
def ids_of(call: Call, query: str = "") -> set[str]:
    """The ids of the products that a caller is shown."""
    return {
        product["id"] for product in call("GET", f"/products?limit=100{query}").json["products"]
    }


def test_product_of_one_caller_is_missing_for_others(somebody: Call, somebody_else: Call) -> None:
    product = created(somebody)
    path = f"/products/{product['id']}"

    assert_problem(somebody_else("GET", path), 404)
    for seen in ('"1"', "*"):
        assert_problem(somebody_else("PUT", path, text(quantity=9), if_match=seen), 404)
        assert_problem(somebody_else("DELETE", path, if_match=seen), 404)
    assert product["id"] not in ids_of(somebody_else)

    assert somebody("GET", path).json == product
    assert product["id"] in ids_of(somebody)


def test_cursor_of_another_caller_shows_own_products(somebody: Call, somebody_else: Call) -> None:
    for _ in range(3):
        created(somebody)
        created(somebody_else)
    theirs = ids_of(somebody_else)

    cursor = somebody("GET", "/products?limit=1").json["next_cursor"]

    assert cursor
    assert ids_of(somebody_else, f"&cursor={cursor}") <= theirs


def test_same_key_of_two_callers_makes_two_products(somebody: Call, somebody_else: Call) -> None:
    key = new_key()

    first = somebody("POST", "/products", text(), idempotency_key=key)
    other = somebody_else("POST", "/products", text(quantity=3), idempotency_key=key)

    assert (first.status, other.status) == (201, 201)
    assert first.json["id"] != other.json["id"]
    assert somebody("GET", f"/products/{first.json['id']}").json["quantity"] == 2


# {% endif %}
# --- Requests that are none ---


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="no body"),
        pytest.param("this is no product", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param(text(more=1), id="an unknown field"),
        pytest.param(text(name=1), id="a wrong type"),
        pytest.param(text(quantity=1.5), id="a broken number"),
        pytest.param('{"name": "\\ud800", "quantity": 1}', id="half a character"),
    ],
)
def test_invalid_product_gets_400(call: Call, stack: Stack, body: str | None) -> None:
    product = created(call)
    before = stored(stack)

    assert_problem(call("POST", "/products", body, idempotency_key=new_key()), 400)
    assert_problem(call("PUT", f"/products/{product['id']}", body, if_match='"1"'), 400)

    assert stored(stack) == before


def test_body_that_is_too_large_gets_413(call: Call) -> None:
    assert_problem(
        call("POST", "/products", text(name="x" * 10_000), idempotency_key=new_key()), 413
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/products", "GET, OPTIONS, POST"),
        ("DELETE", "/products", "GET, OPTIONS, POST"),
        ("POST", NOWHERE, "DELETE, GET, OPTIONS, PUT"),
        ("PATCH", NOWHERE, "DELETE, GET, OPTIONS, PUT"),
    ],
)
def test_unknown_method_gets_405_with_allow(
    call: Call, method: str, path: str, allowed: str
) -> None:
    answer = call(method, path, "{}")

    assert_problem(answer, 405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/nowhere", f"{NOWHERE}/more"])
def test_unknown_path_gets_404(call: Call, path: str) -> None:
    assert_problem(call("GET", path), 404)


# --- Browsers ---


@pytest.mark.parametrize(
    ("path", "methods"), [("/products", "GET,OPTIONS,POST"), (NOWHERE, "DELETE,GET,OPTIONS,PUT")]
)
def test_each_route_answers_preflight_requests_for_one_origin(
    stack: Stack, path: str, methods: str
) -> None:
    answer = anonymous(stack, "OPTIONS", path)

    assert answer.status == 204, answer.body
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == methods
    assert {"If-Match", "Idempotency-Key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(",")
    )


@pytest.mark.parametrize("path", ["/products", NOWHERE])
def test_preflight_request_with_another_content_type_gets_415(stack: Stack, path: str) -> None:
    headers = {"Content-Type": "text/plain"}

    answer = http_call("OPTIONS", url(stack, path), headers=headers, verify=stack.aws.ca)

    assert answer.status == 415


def change_set_for_prod(stack: Stack, **changes: str) -> None:
    """Plan the stack that is there with the settings of prod, some of them other than there."""
    settings = project.parameters("prod") | {"AlarmEmail": "alarms@example.com"} | changes
    stack.aws.client("cloudformation").create_change_set(
        StackName=stack.name,
        ChangeSetName=f"prod-{uuid.uuid4()}",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in settings.items()
        ],
    )


def test_deployment_of_prod_fails_without_an_origin(stack: Stack) -> None:
    with pytest.raises(ClientError, match="AllowedOrigin is empty"):
        change_set_for_prod(stack, AllowedOrigin="")

    for decided in ("none", "https://www.example.com"):
        change_set_for_prod(stack, AllowedOrigin=decided)


def test_web_pages_may_read_what_they_need_of_an_answer(call: Call) -> None:
    answer = call("GET", "/products")

    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After"


# --- The smoke test, which runs against AWS ---


def test_smoke_test_passes_on_the_local_aws(stack: Stack) -> None:
    identity = callers.identity_in(stack) | {"verify": stack.aws.ca}

    smoke.test_a_product_is_created_read_and_deleted(
        {"ProductsUrl": url(stack, "/products")}, identity
    )


def test_smoke_test_fails_without_the_api(stack: Stack) -> None:
    identity = callers.identity_in(stack) | {"verify": stack.aws.ca}

    with pytest.raises(AssertionError):
        smoke.test_a_product_is_created_read_and_deleted(
            {"ProductsUrl": url(stack, "/no")}, identity
        )


# --- Who may call ---

ROUTES = [
    ("POST", "/products"),
    ("GET", "/products"),
    ("GET", NOWHERE),
    ("PUT", NOWHERE),
    ("DELETE", NOWHERE),
]


# {% if cookiecutter.authentication == "IAM" %}
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_unsigned_request_gets_403(stack: Stack, method: str, path: str) -> None:
    assert_problem(anonymous(stack, method, path), 403)


@pytest.fixture(scope="session")
def reader(stack: Stack) -> dict[str, str]:
    """The access key of somebody who may list products and nothing else."""
    iam, name = stack.aws.client("iam"), "reader"
    api = f"arn:aws:execute-api:{stack.aws.region}:*:{stack.outputs['ApiId']}/v1"
    listing = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{api}/GET/products"}
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="list",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [listing]}),
    )
    key: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return key


def asked_as(stack: Stack, key_id: str, signs_with: str, method: str) -> Answer:
    session = type(stack.aws.session)
    somebody = session(key_id, signs_with, region_name=stack.aws.region)
    return http_call(method, url(stack, "/products"), session=somebody, verify=stack.aws.ca)


def test_permission_for_one_route_allows_no_other(stack: Stack, reader: dict[str, str]) -> None:
    key = (reader["AccessKeyId"], reader["SecretAccessKey"])

    assert asked_as(stack, *key, "GET").status == 200
    assert asked_as(stack, *key, "POST").status == 403


def test_wrong_signature_gets_403(stack: Stack, reader: dict[str, str]) -> None:
    assert_problem(asked_as(stack, reader["AccessKeyId"], "wrong", "GET"), 403)


# {% elif cookiecutter.authentication == "JWT" %}
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_request_without_a_token_gets_401(stack: Stack, method: str, path: str) -> None:
    assert_problem(anonymous(stack, method, path), 401)


def test_forged_token_gets_401(stack: Stack) -> None:
    head, claims, signature = callers.signed_in(stack).split(".")
    other_claims = claims.replace(claims[40], "A" if claims[40] != "A" else "B")

    for wrong in (
        "none",
        f"{head}.{other_claims}.{signature}",
        f"{head}.{claims}.{signature[::-1]}",
        f"{head}.{claims}.",
    ):
        headers = {"Authorization": f"Bearer {wrong}"}
        answer = http_call("GET", url(stack, "/products"), headers=headers, verify=stack.aws.ca)
        assert_problem(answer, 401)


def test_smoke_test_user_needs_only_permissions_of_the_plan_role(stack: Stack) -> None:
    cognito = stack.aws.client("cognito-idp")
    pool = stack.outputs["UserPoolId"]
    planner = may_only(stack, "planner", plan_roles_rights("cognito-idp"))

    tokens = smoke.new_user(planner, pool, stack.outputs["UserPoolClientId"])

    user = callers.caller(stack, {"headers": {"Authorization": f"Bearer {tokens['IdToken']}"}})
    product = created(user)
    assert user("GET", f"/products/{product['id']}").json == product
    [there] = users_like(cognito, pool, "smoke-test")
    phrase = "A-Test-User-1234"
    for refused, more in (
        (planner.admin_delete_user, {}),
        (planner.admin_set_user_password, {"Password": phrase}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused(UserPoolId=pool, Username=there, **more)

    planner.delete_user(AccessToken=tokens["AccessToken"])
    assert users_like(cognito, pool, "smoke-test") == []


def test_user_created_with_the_readme_commands_can_sign_in(stack: Stack) -> None:
    cognito = stack.aws.client("cognito-idp")
    ids = {"UserPoolId": stack.outputs["UserPoolId"], "Username": "ada"}
    phrase, temporary = "A-Test-User-1234", "A-Temporary-1234"
    attributes = {"email": "ada@example.com", "email_verified": "true"}
    cognito.admin_create_user(
        **ids,
        UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        DesiredDeliveryMediums=["EMAIL"],
        # AWS makes one up and mails it; the local AWS makes one up that its own rules refuse.
        TemporaryPassword=temporary,
    )
    assert cognito.admin_get_user(**ids)["UserStatus"] == "FORCE_CHANGE_PASSWORD"

    cognito.admin_set_user_password(**ids, Password=phrase, Permanent=True)

    user = callers.caller(stack, callers.identity_in(stack, "ada"))
    assert user("GET", "/products").status == 200


def users_like(cognito: Any, pool: str, start: str) -> list[str]:
    found = cognito.list_users(UserPoolId=pool, Filter=f'username ^= "{start}"')["Users"]
    return [user["Username"] for user in found]


def plan_roles_rights(service: str) -> list[str]:
    """The actions of a service that the role of the pipeline's smoke test may call."""
    policy = project.template("permissions.yaml")["Resources"]["SmokeTest"]["Properties"]
    statements = policy["PolicyDocument"]["Statement"]
    actions = [action for grant in statements for action in project.as_list(grant["Action"])]
    return [action for action in actions if action.startswith(f"{service}:")]


def may_only(stack: Stack, name: str, actions: list[str]) -> Any:
    """A client of Cognito for somebody who may call some actions on the pool."""
    iam = stack.aws.client("iam")
    grant = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="actions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [grant]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = type(stack.aws.session)(key["AccessKeyId"], key["SecretAccessKey"])
    return session.client(
        "cognito-idp",
        region_name=stack.aws.region,
        endpoint_url=stack.aws.endpoint,
        verify=stack.aws.ca,
    )


# {% else %}
def test_anyone_may_call(stack: Stack) -> None:
    assert anonymous(stack, "GET", "/products").status == 200


# {% endif %}
def anonymous(stack: Stack, method: str, path: str) -> Answer:
    return http_call(method, url(stack, path), verify=stack.aws.ca)


def url(stack: Stack, path: str) -> str:
    return stack.aws.api_url(stack.outputs["ApiId"]) + path
