"""Least privilege: what the proof reports, and that its exceptions are still needed.

test_generated.py shows, where the patterns' own tests run, that each right of each pattern is used and that each mutant
is reported.
"""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import Variant, make_project, variants
from proofs import deploy_role, policies
from proofs.grants import RECORDERS, Call, Record, Role, Statement, lay_recorders, read_record, stale_needs
from proofs.mutants import mutants, survivors
from proofs.needed_by_aws import NEEDS

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-Orders"
GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/shop-Save"
SAVE = Statement(("dynamodb:PutItem",), (TABLE,))
LOG = Statement(("logs:PutLogEvents",), (f"{GROUP}:*",))
TRACE = Statement(("xray:PutTelemetryRecords", "xray:PutTraceSegments"), ("*",))
ROLE = Role("SaveRole", ("lambda.amazonaws.com",), (SAVE, LOG, TRACE))
CALLS = {
    Call("SaveRole", "dynamodb:PutItem", TABLE): 3,
    Call("SaveRole", "logs:PutLogEvents", f"{GROUP}:log-stream:1"): 2,
}
RECORD = Record("shop", (), (ROLE,), CALLS)


def findings(*statements: Statement, calls: dict[Call, int] = CALLS, trusts: str = "lambda.amazonaws.com") -> list[str]:
    role = Role("SaveRole", (trusts,), statements)
    return [f"{finding.kind}: {finding.what}" for finding in Record("shop", (), (role,), calls).findings]


def test_no_finding_when_all_rights_are_used_and_all_calls_allowed() -> None:
    assert not RECORD.findings
    assert [RECORD.users(ROLE, grant) for grant in ROLE.grants] == [3, 2, NEEDS[0].source, NEEDS[1].source]


def test_a_right_that_no_call_uses_is_reported() -> None:
    more = replace(SAVE, actions=("dynamodb:PutItem", "dynamodb:DeleteItem"))

    assert findings(more, LOG, TRACE) == ["unused: dynamodb:DeleteItem on `table/…-Orders`"]


def test_each_action_has_to_be_used_on_each_resource() -> None:
    more = replace(SAVE, resources=(TABLE, f"{TABLE}Archive"))

    assert findings(more, LOG, TRACE) == ["unused: dynamodb:PutItem on `table/…-OrdersArchive`"]


def test_a_call_that_nothing_allows_is_reported() -> None:
    calls = CALLS | {Call("SaveRole", "dynamodb:GetItem", TABLE, allowed=False): 1}

    assert findings(SAVE, LOG, TRACE, calls=calls) == ["refused: dynamodb:GetItem on `table/…-Orders`"]


def test_a_call_that_something_denies_is_reported() -> None:
    [finding, *_] = findings(SAVE, LOG, TRACE, replace(SAVE, denies=True))

    assert finding == "refused: dynamodb:PutItem on `table/…-Orders`"


def test_a_call_that_the_local_aws_judges_otherwise_is_reported() -> None:
    [call, *_] = CALLS
    calls = {replace(call, allowed=False) if other is call else other: times for other, times in CALLS.items()}

    assert findings(SAVE, LOG, TRACE, calls=calls) == ["judged otherwise: dynamodb:PutItem on `table/…-Orders`"]


@pytest.mark.parametrize(
    "wide",
    [
        pytest.param("*", id="any resource"),
        pytest.param("arn:aws:dynamodb:eu-west-1:123456789012:table/*", id="any table"),
        pytest.param("arn:aws:dynamodb:eu-west-1:123456789012:table/shop*", id="tables of stacks with longer names"),
        pytest.param("arn:aws:dynamodb:*:123456789012:table/shop-Orders", id="any region"),
        pytest.param("arn:aws:dynamodb:eu-west-1:123456789012:table/sho?-Orders", id="any letter"),
    ],
)
def test_a_resource_wider_than_the_stack_is_reported(wide: str) -> None:
    [finding] = findings(replace(SAVE, resources=(wide,)), LOG, TRACE)

    assert finding.startswith("too wide: dynamodb:PutItem")


def test_any_resource_is_right_where_aws_knows_none_that_a_policy_could_name() -> None:
    """As for X-Ray; and where AWS's documentation says that it judges so, for that very resource."""
    needs = [need for need in NEEDS if need.of == "codedeploy.amazonaws.com"]
    functions = "arn:aws:lambda:eu-west-1:123456789012:function:shop-*"
    alarms = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"
    move = Statement(tuple(need.action for need in needs if not need.on), (functions,))
    watch = Statement(("cloudwatch:DescribeAlarms",), (alarms,))

    assert not findings(move, watch, calls={}, trusts="codedeploy.amazonaws.com")
    wider = findings(move, replace(watch, resources=("*",)), calls={}, trusts="codedeploy.amazonaws.com")
    assert "too wide: cloudwatch:DescribeAlarms on `*`" in wider


def test_missing_right_that_only_aws_needs_is_reported() -> None:
    assert findings(SAVE, LOG) == [f"needed by AWS: {need.action}, see {need.source}" for need in NEEDS[:2]]


def test_an_action_with_a_wildcard_is_reported() -> None:
    wide = replace(SAVE, actions=("dynamodb:Put*",))

    assert "too wide: dynamodb:Put* on `table/…-Orders`" in findings(wide, LOG, TRACE)


@pytest.mark.parametrize(
    ("operator", "value", "allows"),
    [
        ("StringEquals", "orders", True),
        ("StringEquals", ["others", "orders"], True),
        ("StringEquals", "or*", False),
        ("StringLike", "or*", True),
        ("StringLike", "x*", False),
    ],
)
def test_a_right_under_a_condition_is_one_for_calls_that_meet_it(operator: str, value: Any, *, allows: bool) -> None:
    stated = replace(SAVE, conditions={operator: {"events:Source": value}})
    call = Call("SaveRole", "dynamodb:PutItem", TABLE, (("events:source", "orders"),))

    assert stated.covers(call) == allows
    assert not stated.covers(replace(call, context=()))


def test_a_condition_that_cannot_be_judged_is_an_error_and_not_let_pass() -> None:
    with pytest.raises(ValueError, match="NumericLessThan cannot be judged"):
        findings(replace(SAVE, conditions={"NumericLessThan": {"s3:max-keys": "10"}}), LOG, TRACE)


# --- What is wrong on purpose ---


def test_every_kind_of_mutant_is_tried() -> None:
    tried = {mutant.what for mutant in mutants(RECORD)}

    assert {
        "SaveRole: dynamodb:PutItem: may dynamodb:DeleteTable as well",
        "SaveRole: dynamodb:PutItem: on *",
        "SaveRole: dynamodb:PutItem: on arn:aws:dynamodb:eu-west-1:123456789012:table/*",
        "SaveRole: dynamodb:PutItem: is gone",
        "SaveRole: xray:PutTelemetryRecords xray:PutTraceSegments: is gone",
        "SaveRole: xray:PutTelemetryRecords xray:PutTraceSegments: without xray:PutTraceSegments",
        f"SaveRole: dynamodb:PutItem: without {TABLE}",
    } <= tried
    assert not survivors(RECORD)


def test_mutant_that_no_call_distinguishes_survives() -> None:
    nothing_saved = replace(RECORD, calls={})

    assert "SaveRole: dynamodb:PutItem: is gone" in survivors(nothing_saved)


# --- The record ---


def line(**decision: Any) -> str:
    known = {"role": "shop-SaveRole-1", "action": "dynamodb:PutItem", "resource": TABLE, "context": {}, "allowed": True}
    return json.dumps(known | decision)


def stacks(**stated: Any) -> str:
    statement = {"effect": "Allow", "actions": ["dynamodb:PutItem"], "resources": [TABLE], "conditions": {}}
    statement |= {"not_actions": [], "not_resources": []} | stated
    role = {"id": "SaveRole", "trusts": ["lambda.amazonaws.com"], "statements": [statement], "called": False}
    found = {"shop-local": {"types": ["AWS::IAM::Role"], "roles": {"shop-SaveRole-1": role}}}
    return json.dumps({"stacks": found | {"bucket-for-builds": {"types": [], "roles": {}}}})


def test_a_record_is_of_the_stacks_roles_and_not_of_whom_tests_make_up(tmp_path: Path) -> None:
    lines = [stacks(), line(), line(), line(role="somebody", allowed=False)]
    (tmp_path / "decisions.jsonl").write_text("\n".join(lines), "utf-8")

    assert read_record(tmp_path) == Record(
        "shop-local",
        ("AWS::IAM::Role",),
        (Role("SaveRole", ("lambda.amazonaws.com",), (SAVE,)),),
        {Call("SaveRole", "dynamodb:PutItem", TABLE): 2},
    )


def test_a_run_that_recorded_nothing_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 stacks whose names end in -local"):
        read_record(tmp_path)


def test_what_allows_all_but_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "decisions.jsonl").write_text(stacks(not_actions=["iam:*"]), "utf-8")

    with pytest.raises(ValueError, match="name what is allowed"):
        read_record(tmp_path)


def test_the_recorders_are_found_by_a_project_as_gaps_of_its_local_aws(tmp_path: Path) -> None:
    (tmp_path / "toolkit/local_aws/gaps").mkdir(parents=True)

    lay_recorders(tmp_path)

    laid = [path.name for path in (tmp_path / "toolkit/local_aws/gaps").iterdir()]
    assert sorted(laid) == ["decisions.py", "service_calls.py"]
    for name in laid:
        text = (RECORDERS / name).read_text("utf-8")
        assert "def is_needed()" in text
        assert "def close()" in text


# --- Who may call a function ---


def called_by(source: str | None, *callers: str) -> list[str]:
    conditions = {"ArnLike": {"AWS:SourceArn": source}} if source else {}
    function = "arn:aws:lambda:eu-west-1:123456789012:function:shop-Save:live"
    statement = Statement(("lambda:InvokeFunction",), (function,), conditions)
    role = Role("SaveFunction", callers or ("apigateway.amazonaws.com",), (statement,), called=True)
    call = Call("SaveFunction", "lambda:InvokeFunction", function, (("aws:sourcearn", f"{API}/v1/POST/orders"),))
    return [f"{finding.kind}: {finding.what}" for finding in Record("shop", (), (role,), {call: 1}).findings]


API = "arn:aws:execute-api:eu-west-1:123456789012:abc"


def test_function_that_only_the_stacks_api_may_call_has_no_finding() -> None:
    assert not called_by(f"{API}/*/POST/orders")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(None, id="no source"),
        pytest.param("arn:aws:execute-api:eu-west-1:123456789012:*", id="any API"),
        pytest.param("arn:aws:execute-api:eu-west-1:*:abc/*", id="any account"),
        pytest.param("*", id="anything"),
    ],
)
def test_a_function_that_others_may_call_too_is_reported(source: str | None) -> None:
    assert called_by(source) == ["open to others: apigateway.amazonaws.com"]


def test_a_function_that_is_not_called_by_services_alone_is_reported() -> None:
    assert called_by(f"{API}/*/POST/orders", '"*"') == ['open to others: "*"']


def test_a_route_that_may_not_call_its_function_is_reported() -> None:
    unused, refused, _ = called_by(f"{API}/*/GET/orders")

    assert (unused.partition(":")[0], refused.partition(":")[0]) == ("unused", "refused")


# --- The table ---


def test_a_row_for_each_right_says_who_uses_it() -> None:
    section = policies.section(Variant("shop"), {Variant("shop"): RECORD})

    assert "| SaveRole | dynamodb:PutItem | `table/…-Orders` | 3 |\n" in section
    assert f"| SaveRole | xray:PutTraceSegments | `*` | [by AWS]({NEEDS[1].source}) |\n" in section


def test_a_variant_with_the_same_rights_has_no_table_of_its_own() -> None:
    same = Variant("shop", (("size", "large"),))

    assert "The same rights as shop" in policies.section(same, {Variant("shop"): RECORD, same: RECORD})


# --- Exceptions, and the deploy role ---


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(variants()[0], tmp_path)


def test_all_that_aws_is_said_to_need_is_granted_to_some_role(tmp_path: Path) -> None:
    """Or the exception has no reason any more."""
    roles = [
        Role(name, tuple(role["trusts"]), (Statement(tuple(role["actions"]), ("*",)),))
        for variant in variants()
        for name, role in deploy_role.granted_in(make_project(variant, tmp_path))["roles"].items()
    ]
    roles += [
        Role(name, (), (Statement(tuple(actions), ("*",)),))
        for name, actions in deploy_role.granted_in(tmp_path / str(variants()[0]))["deploying"].items()
    ]

    assert not stale_needs(roles)
    assert stale_needs(role for role in roles if "codedeploy.amazonaws.com" not in role.trusts)


def test_a_right_too_many_or_too_few_of_cloudformations_role_is_reported(project: Path) -> None:
    before = deploy_role.findings(project, [])
    template = project / "toolkit/deploy/pipeline.yaml"
    text = template.read_text("utf-8")

    template.write_text(text.replace("- cloudwatch:PutMetricAlarm\n", "- cloudwatch:PutMetricData\n"), "utf-8")

    assert set(deploy_role.findings(project, [])) - set(before) == {
        "CloudFormationRole: needless: cloudwatch:PutMetricData",
        "CloudFormationRole: missing: cloudwatch:PutMetricAlarm",
    }


@pytest.mark.long
def test_the_roles_that_plan_and_apply_use_each_right_to_deliver_and_lack_none(tmp_path: Path) -> None:
    assert not deploy_role.pipeline_findings(deploy_role.deployed_by_pipeline(variants()[0], tmp_path))


def test_a_call_that_the_boundary_would_refuse_is_reported(project: Path) -> None:
    with (project / "samconfig.toml").open("rb") as file:
        stack = tomllib.load(file)["local"]["global"]["parameters"]["stack_name"]
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda"
    calls = {
        Call("SaveRole", "logs:PutLogEvents", f"{group}/{name}-Save:log-stream:1"): 1 for name in (stack, "another")
    }

    found = deploy_role.beyond_boundary(project, replace(RECORD, stack=stack, calls=calls))

    assert found == ["Boundary: refuses logs:PutLogEvents on `log-group:/aws/lambda/another-Save:log-stream:1`"]


def test_what_makes_no_difference_to_cloudformations_role_is_no_exception() -> None:
    """An entry that no pattern needs."""
    used = deploy_role.stale([({"lambda:ListTags"}, {"kms:Decrypt"})])

    assert "lambda:ListTags" not in used
    assert "kms:*" not in used
    assert {"cloudformation:CreateChangeSet", "ec2:*"} <= set(used)
