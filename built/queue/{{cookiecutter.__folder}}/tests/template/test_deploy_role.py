"""deploy/role.yaml: the pipeline can deploy this stack, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stacks import PROJECT, settings_of

ROLE_FILE = PROJECT / "deploy" / "role.yaml"
ENVIRONMENTS = ["dev", "staging", "prod"]
ISSUER = "token.actions.githubusercontent.com"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's `!Sub x` as {"Sub": x}, and so on."""


def intrinsic(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.ScalarNode)
    return {name: loader.construct_scalar(node)}


Loader.add_multi_constructor("!", intrinsic)


def resources_of(path: Path) -> dict[str, Any]:
    resources: dict[str, Any] = Loader(path.read_text(encoding="utf-8")).get_data()["Resources"]
    return resources


def stack_has(kind: str) -> dict[str, dict[str, Any]]:
    resources = resources_of(PROJECT / "template.yaml").items()
    return {name: found["Properties"] for name, found in resources if found["Type"] == kind}


RESOURCES = resources_of(ROLE_FILE)
ROLES_OF_STACK = stack_has("AWS::IAM::Role")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role, or of a policy, that allow something."""
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for document in documents:
        yield from (grant for grant in document["Statement"] if grant["Effect"] == "Allow")


def grants_of(name: str) -> list[dict[str, Any]]:
    return list(grants(RESOURCES[name]["Properties"]))


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in as_list(statement["Action"])}


EVERY_GRANT = [grant for name in RESOURCES for grant in grants_of(name)]


def test_no_action_is_a_wildcard() -> None:
    assert not [action for action in actions(EVERY_GRANT) if "*" in action]


def test_each_wildcard_resource_has_its_reason_beside_it() -> None:
    lines = ROLE_FILE.read_text(encoding="utf-8").splitlines()
    wild = [number for number, line in enumerate(lines) if re.search(r"Resource: \W?\*", line)]

    assert len(wild) == sum(grant["Resource"] == "*" for grant in EVERY_GRANT)
    assert not [lines[n] for n in wild if not lines[n - 1].lstrip().startswith("# ")]


@pytest.mark.parametrize(("role", "suffix"), [("PlanRole", "-plan"), ("ApplyRole", "")])
def test_only_main_of_this_repository_signs_in(role: str, suffix: str) -> None:
    (statement,) = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    claims = statement["Condition"]["StringEquals"]

    assert list(statement["Condition"]) == ["StringEquals"], "each claim in full, no pattern"
    assert claims[f"{ISSUER}:aud"] == "sts.amazonaws.com"
    assert claims[f"{ISSUER}:sub"] == {
        "Sub": "repo:${GitHubSubject}:environment:${Environment}" + suffix
    }
    assert re.fullmatch(r"[\w-]+/[\w.-]+", claims[f"{ISSUER}:repository"])
    assert claims[f"{ISSUER}:ref"] == "refs/heads/main"


def test_who_plans_cannot_apply_and_who_applies_cannot_plan() -> None:
    assert "cloudformation:ExecuteChangeSet" not in actions(grants_of("PlanRole"))
    assert "cloudformation:CreateChangeSet" not in actions(grants_of("ApplyRole"))


def test_what_is_planned_runs_as_cloudformations_role() -> None:
    (planning,) = (grant for grant in grants_of("PlanRole") if grant["Sid"].startswith("PlanWith"))

    assert planning["Condition"]["StringEquals"] == {
        "cloudformation:RoleArn": {"GetAtt": "CloudFormationRole.Arn"}
    }


def test_roles_are_passed_to_named_services_only() -> None:
    passing = [grant for grant in EVERY_GRANT if "iam:PassRole" in as_list(grant["Action"])]

    assert passing
    assert all(grant["Condition"]["StringEquals"]["iam:PassedToService"] for grant in passing)


def test_no_role_is_made_or_given_rights_without_the_boundary() -> None:
    granting = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"}
    granting |= {"iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"}
    guarded = [grant for grant in EVERY_GRANT if granting & set(as_list(grant["Action"]))]

    assert {"iam:CreateRole", "iam:PutRolePolicy"} <= actions(guarded)
    assert "iam:DeleteRolePermissionsBoundary" not in actions(guarded)
    for grant in guarded:
        assert grant["Condition"] == {
            "StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}
        }


def test_the_stack_cannot_touch_what_limits_it() -> None:
    reached = {
        arn["Sub"].split(":role/")[1]
        for grant in grants_of("CloudFormationRole")
        if any(action.startswith("iam:") for action in as_list(grant["Action"]))
        for arn in as_list(grant["Resource"])
    }

    assert {path.replace("${Environment}", "dev") for path in reached} == {
        settings_of("dev")["global"]["parameters"]["stack_name"] + "/*"
    }
    for name in ("PlanRole", "ApplyRole", "CloudFormationRole", "Boundary"):
        assert RESOURCES[name]["Properties"]["Path"] == "/deploy/"


@pytest.mark.parametrize("name", ROLES_OF_STACK)
def test_the_pipeline_may_make_each_role_of_the_stack(name: str) -> None:
    assert ROLES_OF_STACK[name]["Path"] == {"Sub": "/${AWS::StackName}/"}
    assert "PermissionsBoundary" in ROLES_OF_STACK[name]
    assert "ManagedPolicyArns" not in ROLES_OF_STACK[name]


@pytest.mark.parametrize("name", stack_has("AWS::Serverless::Function"))
def test_sam_adds_no_role_without_the_boundary(name: str) -> None:
    function = stack_has("AWS::Serverless::Function")[name]

    assert "Role" in function
    assert "Role" in function.get("DeploymentPreference", {"Role": "none is needed"})


@pytest.mark.parametrize("name", ROLES_OF_STACK)
def test_the_boundary_leaves_each_role_what_it_needs(name: str) -> None:
    assert actions(list(grants(ROLES_OF_STACK[name]))) <= actions(grants_of("Boundary"))


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_stack_asks_for_the_boundary_that_is_there(env: str) -> None:
    boundary = RESOURCES["Boundary"]["Properties"]
    name = boundary["ManagedPolicyName"]["Sub"].replace("${Environment}", env)
    parameters = settings_of(env)["deploy"]["parameters"]["parameter_overrides"]

    assert f"PermissionsBoundary={boundary['Path'].strip('/')}/{name}" in parameters
