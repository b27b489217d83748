"""Reads what is shipped: template.yaml, samconfig.toml, and what the code of each function does."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import botocore.session
import yaml
from botocore import xform_name

from toolkit.stacks import PROJECT, settings_of

ENVIRONMENTS = ("dev", "staging", "prod")
# The package of the service, under any name.
PACKAGE = next((PROJECT / "src").glob("*/__init__.py")).parent
# All that functions may import of this project.
CODE = sorted([*PACKAGE.rglob("*.py"), *(PROJECT / "toolkit" / "runtime").rglob("*.py")])
Resource = dict[str, Any]
Value = TypeVar("Value")


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms: `!Sub X` becomes {"Fn::Sub": "X"}.

    libyaml, which comes with PyYAML's wheels, reads ten times as fast as PyYAML's own code.
    """


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
    loaded = load(path)
    return {**loaded, "Resources": expand(loaded)}


def load(path: str) -> dict[str, Any]:
    """A CloudFormation template of this project, without transforms."""
    return parse((PROJECT / path).read_text("utf-8"))


def parse(text: str) -> dict[str, Any]:
    """A CloudFormation template, its short forms written out."""
    loaded: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    return loaded


def expand(loaded: dict[str, Any]) -> dict[str, Resource]:
    """The resources of a template, each Fn::ForEach written out."""
    return _written_out(loaded["Resources"])


def _written_out(found: dict[str, Any]) -> dict[str, Resource]:
    """What AWS::LanguageExtensions makes of Fn::ForEach: its resources, once for each value."""
    resources: dict[str, Resource] = {}
    for name, value in found.items():
        if name.startswith("Fn::ForEach::"):
            variable, values, body = value
            for one in values:
                resources |= {
                    key.replace(f"${{ "{{" }}{variable}}}", one): _with(resource, variable, one)
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
        case {"Ref": {"Fn::Sub": str(name)}}:
            # How a resource of the same Fn::ForEach is referred to.
            return {"Ref": _with(name, variable, one)}
        case {"Fn::GetAtt": [{"Fn::Sub": str(name)}, str(attribute)]}:
            return {"Fn::GetAtt": f"{_with(name, variable, one)}.{attribute}"}
        case dict():
            return {key: _with(item, variable, one) for key, item in value.items()}
        case list():
            return [_with(item, variable, one) for item in value]
        case str():
            return value.replace(f"${{ "{{" }}{variable}}}", one)
    return value


def resources(kind: str) -> dict[str, Resource]:
    """The template's resources of one type, by logical id."""
    return {
        name: resource
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def functions() -> dict[str, Resource]:
    """Properties of each function, what it has from Globals included.

    What polls for a function is among its Events, whether SAM's or a mapping of its own.
    """
    found = _with_globals("AWS::Serverless::Function")
    for name, mapping in resources("AWS::Lambda::EventSourceMapping").items():
        properties = mapping["Properties"]
        function = properties["FunctionName"]["Ref"].removesuffix(".Alias")
        [source] = named(properties["EventSourceArn"])
        kind = template()["Resources"][source]["Type"].split("::")[1]
        where = "Queue" if kind == "SQS" else "Stream"
        event = {"Type": kind, "Properties": {where: properties["EventSourceArn"], **properties}}
        found[function]["Events"] = {**found[function].get("Events", {}), name: event}
    return found


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
    return statements_of(role_of(function))


def role_of(function: Resource) -> str:
    """Logical id of a function's role."""
    name = function["FunctionName"]["Fn::Sub"]
    return the_one(
        named(function["Role"]),
        f"the role of {name}: add the function to the list under Fn::ForEach::Functions",
    )


def statements_of(role: str) -> list[dict[str, Any]]:
    """The policy statements of a role, by its logical id: its own, and those put on it."""
    found = grants_to(role, template()["Resources"])
    return [statement for policy in found.values() for statement in policy]


def lasting_statements_of(role: str) -> list[dict[str, Any]]:
    """The same without rights that are retiring: granted for the version before, called no more."""
    lasting = []
    for owner, granted in grants_to(role, template()["Resources"]).items():
        marks = retiring_rights(template()["Resources"][owner])
        for statement in granted:
            for action in as_list(statement["Action"]):
                kept = [
                    resource
                    for resource in as_list(statement["Resource"])
                    if not is_retiring(marks, action, resource)
                ]
                if kept:
                    lasting.append({**statement, "Action": action, "Resource": kept})
    return lasting


def grants_to(role: str, found: dict[str, Resource]) -> dict[str, list[dict[str, Any]]]:
    """The policy statements of a role, by the logical id of the role or policy that has them."""
    grants = {
        name: [resource["Properties"]["PolicyDocument"]]
        for name, resource in found.items()
        if resource["Type"] == "AWS::IAM::Policy"
        and {"Ref": role} in resource["Properties"]["Roles"]
    }
    inline = found[role]["Properties"].get("Policies", [])
    grants[role] = [policy["PolicyDocument"] for policy in inline]
    return {
        owner: [statement for document in documents for statement in document["Statement"]]
        for owner, documents in grants.items()
    }


def retiring_rights(resource: Resource) -> dict[str, str]:
    """What a policy or role grants for the last time, and why: "action" or "action on resource"."""
    marks: dict[str, str] = resource.get("Metadata", {}).get("Retiring", {})
    return marks


def is_retiring(marks: Iterable[str], action: str, resource: Any) -> bool:
    """Whether an action on a resource is marked as retiring."""
    return action in marks or f"{action} on {short_name(resource)}" in marks


def short_name(resource: Any) -> str:
    """How a mark names a resource: by its logical id, or else as the statement does."""
    match resource:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(attribute)}:
            return attribute.partition(".")[0]
        case {"Fn::Sub": str(text)}:
            return text
    return str(resource)


def named(value: Any) -> set[str]:
    """Logical ids of the template's resources that a value refers to, by their aliases too."""
    found: set[str] = set()
    match value:
        case {"Ref": str(name)}:
            # SAM calls a function's alias Function.Alias, and a workflow's WorkflowAliaslive.
            found = {name.partition(".")[0].removesuffix("Aliaslive")}
        case {"Fn::GetAtt": str(attribute)}:
            found = {attribute.partition(".")[0]}
        case {"Fn::GetAtt": [{"Fn::Sub": str(name)}, str()]}:
            found = {name}
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
        for found in watched_by(alarm["Properties"])
        if f"{found['Namespace']} {found['MetricName']}" == metric
        if dimension in [found["Value"] for found in found["Dimensions"]]
    }


def watched_by(alarm: Resource) -> list[dict[str, Any]]:
    """The metrics that an alarm watches: one, or those of its metric math."""
    queries = [query for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [query["MetricStat"]["Metric"] for query in queries] or [alarm]


def the_one(found: Iterable[Value], to_do: str) -> Value:
    """The only one that was found.

    Raises:
        AssertionError: there is not exactly one; `to_do` says what to add to template.yaml.
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


def holds(condition: Any, environment: str) -> bool:
    """Whether a condition of the template, or its name, is true in an environment."""
    match condition:
        case str(name):
            return holds(template()["Conditions"][name], environment)
        case {"Fn::Equals": [one, other]}:
            return str(resolve(one, environment)) == str(resolve(other, environment))
        case {"Fn::Not": [inner]}:
            return not holds(inner, environment)
        case {"Condition": str(name)}:
            return holds(name, environment)
        case {"Fn::And": parts}:
            return all(holds(part, environment) for part in parts)
        case {"Fn::Or": parts}:
            return any(holds(part, environment) for part in parts)
    raise ValueError(f"unknown condition {condition}")


def resolve(value: Any, environment: str) -> Any:
    """A value of the template in an environment.

    Parameters, mappings and pseudo parameters have the values they have there. What only AWS knows,
    such as the name of a queue, is a text that no other stack has.
    """
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": str(name)}:
            return _resolved_name(name, environment)
        case {"Fn::If": [str(condition), yes, no]}:
            return resolve(yes if holds(condition, environment) else no, environment)
        case {"Fn::FindInMap": [str(mapping), str(key), str(attribute)]}:
            return template()["Mappings"][mapping][key][attribute]
        case {"Fn::FindInMap": [str(mapping), str(key), str(attribute), {"DefaultValue": default}]}:
            return template()["Mappings"][mapping][key].get(attribute, default)
        case {"Fn::GetAtt": str(attribute)}:
            return _resolved_name(attribute, environment)
        case {"Fn::GetAtt": [name, str(attribute)]}:
            return _resolved_name(f"{resolve(name, environment)}.{attribute}", environment)
        case {"Fn::Sub": str(text)}:
            return resolve({"Fn::Sub": [text, {}]}, environment)
        case {"Fn::Sub": [str(text), dict(variables)]}:
            return re.sub(
                r"\$\{([\w.:]+)\}",
                lambda found: str(
                    resolve(variables[found[1]], environment)
                    if found[1] in variables
                    else _resolved_name(found[1], environment)
                ),
                text,
            )
    return value


def _resolved_name(name: str, environment: str) -> str:
    """What `${name}` is: a parameter, the stack's name, or something of a resource."""
    stack: str = settings_of(environment)["global"]["parameters"]["stack_name"]
    if name.endswith(".Version.Version"):
        # The version that is being deployed; see AutoPublishAlias in AWS SAM.
        return "2"
    known: dict[str, str] = {**parameters(environment), "AWS::StackName": stack}
    return known.get(name, f"{stack}/{name}")


def variables_read_by(function: Resource) -> set[str]:
    """Names of the environment variables that a function's code reads: the fields of Settings."""
    [module, *_] = _trees_of(function)
    return {
        field.target.id.upper()
        for found in module.body
        if isinstance(found, ast.ClassDef) and found.name == "Settings"
        for field in found.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def stand_ins(function: Resource) -> dict[str, str]:
    """A value for each variable that a function might read, enough to import its handler.

    A text in the template is the value itself; what only AWS knows is a number, or text of one.
    """
    variables = function["Environment"]["Variables"]
    return {
        name: value if isinstance(value, str) else "1"
        for name, value in variables.items()
        if not name.startswith("POWERTOOLS_")
    }


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
        # IAM's name of a service is boto3's, but for this one. A batch needs the right of a single
        # call; docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html has
        # no action for it.
        operation = {"PublishBatch": "Publish"}.get(operation, operation)
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
    paths = [module_path(function["Handler"].rpartition(".")[0])]
    trees = []
    for path in paths:
        trees.append(ast.parse(path.read_text("utf-8")))
        for node in ast.walk(trees[-1]):
            if isinstance(node, ast.ImportFrom):
                imported = module_path(node.module or "")
                if imported in CODE and imported not in paths:
                    paths.append(imported)
    return trees


def module_path(module: str) -> Path:
    """The file of a module that functions import, such as `service.handlers.process`."""
    folder = PROJECT if module.startswith("toolkit.") else PROJECT / "src"
    return folder / Path(*module.split(".")).with_suffix(".py")


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
