"""Reads what is shipped: template.yaml, samconfig.toml, and what the code of each function does."""

import ast
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import botocore.session
import yaml
from botocore import xform_name

from scripts.stacks import PROJECT, settings_of

ENVIRONMENTS = ("dev", "staging", "prod")
Resource = dict[str, Any]
Value = TypeVar("Value")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms: `!Sub X` becomes {"Fn::Sub": "X"}."""


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {key: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@cache
def template(path: str = "template.yaml") -> dict[str, Any]:
    """A CloudFormation template of this project, each Fn::ForEach in it written out."""
    loaded: dict[str, Any] = yaml.load((PROJECT / path).read_text("utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    return {**loaded, "Resources": _written_out(loaded["Resources"])}


def _written_out(found: dict[str, Any]) -> dict[str, Resource]:
    """What AWS::LanguageExtensions makes of Fn::ForEach: its resources, once for each value."""
    resources: dict[str, Resource] = {}
    for name, value in found.items():
        if name.startswith("Fn::ForEach::"):
            variable, values, body = value
            for one in values:
                resources |= {
                    key.replace(f"${{{variable}}}", one): _with(resource, variable, one)
                    for key, resource in body.items()
                }
        else:
            resources[name] = {"Properties": {}, **value}
    return resources


def _with(value: Any, variable: str, one: str) -> Any:
    """A part of a template in which a variable of Fn::ForEach has a value."""
    match value:
        case {"Ref": str(name)} if name == variable:
            return one
        case dict():
            return {key: _with(item, variable, one) for key, item in value.items()}
        case list():
            return [_with(item, variable, one) for item in value]
        case str():
            return value.replace(f"${{{variable}}}", one)
    return value


def resources(kind: str) -> dict[str, Resource]:
    """The template's resources of one type, by logical id."""
    return {
        name: resource
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def functions() -> dict[str, Resource]:
    """Properties of each function, what it has from Globals included."""
    return _with_globals("AWS::Serverless::Function")


def apis() -> dict[str, Resource]:
    """Properties of each REST API, what it has from Globals included."""
    return _with_globals("AWS::Serverless::Api")


def _with_globals(kind: str) -> dict[str, Resource]:
    shared = template()["Globals"].get(kind.rpartition("::")[2], {})
    return {name: _merged(shared, found["Properties"]) for name, found in resources(kind).items()}


def _merged(shared: Any, own: Any) -> Any:
    """As SAM does it: a resource adds to maps and lists of Globals, and replaces other values."""
    match shared, own:
        case dict(), dict():
            return shared | {
                key: _merged(shared[key], value) if key in shared else value
                for key, value in own.items()
            }
        case list(), list():
            return shared + own
    return own


def statements(function: Resource) -> list[dict[str, Any]]:
    """The policy statements of a function's role."""
    name = function["FunctionName"]["Fn::Sub"]
    role = the_one(
        named(function["Role"]),
        f"the role of {name}: add the function to the list under Fn::ForEach::Functions",
    )
    return statements_of(role)


def statements_of(role: str) -> list[dict[str, Any]]:
    """The policy statements of a role, by its logical id: its own, and those put on it."""
    policies = [
        *resources("AWS::IAM::Role")[role]["Properties"].get("Policies", []),
        *(
            policy["Properties"]
            for policy in resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
        ),
    ]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def named(value: Any) -> set[str]:
    """Logical ids of the template's resources that a value refers to."""
    found: set[str] = set()
    match value:
        case {"Ref": str(name)}:
            found = {name}
        case {"Fn::GetAtt": str(attribute)}:
            found = {attribute.partition(".")[0]}
        case {"Fn::Sub": str(text)}:
            found = set(re.findall(r"\$\{(\w+)[.}]", text))
        case dict() | list():
            parts = value.values() if isinstance(value, dict) else value
            found = {name for part in parts for name in named(part)}
    return found.intersection(template()["Resources"])


def log_group_of(function: Resource) -> str:
    """Logical id of the log group that a function writes to."""
    expected = f"/aws/lambda/{function['FunctionName']['Fn::Sub']}"
    groups = resources("AWS::Logs::LogGroup").items()
    return the_one(
        (
            name
            for name, group in groups
            if group["Properties"]["LogGroupName"]["Fn::Sub"] == expected
        ),
        f"a log group {expected}: add the function to the list under Fn::ForEach::Functions",
    )


def alarms_on(metric: str, dimension: Any) -> dict[str, Resource]:
    """Properties of the alarms that watch a metric of one thing, by logical id."""
    return {
        name: alarm["Properties"]
        for name, alarm in resources("AWS::CloudWatch::Alarm").items()
        if f"{alarm['Properties']['Namespace']} {alarm['Properties']['MetricName']}" == metric
        if dimension in [found["Value"] for found in alarm["Properties"]["Dimensions"]]
    }


def the_one(found: Iterable[Value], to_do: str) -> Value:
    """The only one that was found.

    Raises:
        AssertionError: there is none, or more than one; `to_do` says what template.yaml has to say.
    """
    one = list(found)
    assert len(one) == 1, f"{'missing' if not one else 'more than one'}: {to_do}"
    return one[0]


def as_list(value: Any) -> list[Any]:
    """Policies and templates may hold one thing where several are meant."""
    return value if isinstance(value, list) else [value]


def parameters(environment: str) -> dict[str, str]:
    """The template's parameters as an environment sets them."""
    overrides = settings_of(environment)["deploy"]["parameters"]["parameter_overrides"]
    pairs = (override.split("=", 1) for override in overrides)
    return {name: value.strip('"') for name, value in pairs}


def resolve(value: Any, environment: str) -> Any:
    """A value of the template in an environment, where it is a parameter or in a mapping."""
    match value:
        case {"Ref": str(name)}:
            return parameters(environment)[name]
        case {"Fn::FindInMap": [str(mapping), str(key), str(attribute)]}:
            return template()["Mappings"][mapping][key][attribute]
        case {"Fn::FindInMap": [str(mapping), str(key), str(attribute), {"DefaultValue": default}]}:
            return template()["Mappings"][mapping][key].get(attribute, default)
    return value


def variables_read_by(function: Resource) -> set[str]:
    """Names of the environment variables that a function's code reads."""
    module_name = function["Handler"].rpartition(".")[0]
    with patch.dict(os.environ, stand_ins(function)):
        module = importlib.import_module(module_name)
    # It has stand-ins for settings: who imports it next shall get it anew.
    del sys.modules[module_name]
    return {field.name.upper() for field in fields(module.Settings)}


def stand_ins(function: Resource) -> dict[str, str]:
    """A value for each variable that a function might read, enough to import its handler."""
    variables = function["Environment"]["Variables"]
    return {name: "1" for name in variables if not name.startswith("POWERTOOLS_")}


def calls_of(function: Resource) -> set[str]:
    """IAM actions that a function's own code needs: every AWS operation it calls by name."""
    trees = _trees_of(function)
    names = {name for tree in trees for name in _called_names(tree)}
    session = botocore.session.get_session()
    actions: set[str] = set()
    for service in clients_of(function):
        for operation in session.get_service_model(service).operation_names:
            if xform_name(operation) in names:
                actions |= _actions(service, operation, trees)
    return actions


def clients_of(function: Resource) -> set[str]:
    """The AWS services for which a function makes clients."""
    return {service for tree in _trees_of(function) for service in _clients(tree)}


def _actions(service: str, operation: str, trees: list[ast.Module]) -> set[str]:
    if operation != "TransactWriteItems":
        # IAM's name of a service is boto3's, but for this one.
        return {f"{service.replace('stepfunctions', 'states')}:{operation}"}
    # IAM asks for what the transaction holds: {"Put": …} needs dynamodb:PutItem.
    parts = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    keys = {
        key.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return {f"{service}:{action}" for part, action in parts.items() if part in keys}


def _trees_of(function: Resource) -> list[ast.Module]:
    """The code that a function's handler imports, directly or not, its own first."""
    paths = [_path(function["Handler"].rpartition(".")[0])]
    trees = []
    for path in paths:
        trees.append(ast.parse(path.read_text("utf-8")))
        for node in ast.walk(trees[-1]):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("service."):
                imported = _path(node.module or "")
                if imported not in paths:
                    paths.append(imported)
    return trees


def _path(module: str) -> Path:
    return PROJECT / "src" / Path(*module.split(".")).with_suffix(".py")


def _called_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(name)]):
                yield str(name)
            case ast.Call(func=ast.Attribute(attr=name)):
                yield name


def _clients(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("client"), args=[ast.Constant(service)]):
                yield str(service)
